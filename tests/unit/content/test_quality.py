"""The fluency gate: what small models write that is true, and that nobody would print."""

from __future__ import annotations

import pytest

from services.content.domain.quality import fluency

# Below this a text is refused (domain/checks.py).
GATE = 0.75


@pytest.mark.parametrize(
    "text",
    [
        "A Notebooks is a great product. Inkwell Row notebook: 15% off.",
        "A Winter coats. Aldermere Alder winter coat for €289.",
        "Hearthstone Cook 200 chef's knife is a 20% off until 3 December.",
        "Calyx Lab toothbrush is sixty days on one charge, in€49.90.",
        "Hushline headphones is quiet for offices and flights€289.",
        "Welcome back, take a look Oxbow Peak Cairn hiking boots.",
        "The Aldermere Matinee is Aldermere Matinee sunglasses.",
        "The coffee maker is 5% off, now €18.91, now for slow, clear, !",
        "You are welcome. Oxbow Peak Reservoir 15 is 30% off.",
        "Aldermere winter coat is a stylish choice for those looking €289.",
        "Oddwell sneakers are for town, sizes 30% off, now €69.30.",
        "Stillwater Lavender Hour scented candle is now €24, now the end of it.",
        "云岭越野跑鞋二代现享8折,。",
        "云裳裤1001号价格¥300元。",
    ],
)
def test_clumsy_text_is_below_the_gate(text: str) -> None:
    assert fluency(text) < GATE


@pytest.mark.parametrize(
    "text",
    [
        "Welcome back, take a look at Oxbow Peak Cairn hiking boots.",
        "Harrow Lane Blanket Check scarf is 10% off until 17 December, now €49.41.",
        "A warm welcome. Whiskerfield Kitten Start dry cat food is 5% off.",
        "Fernhill Trail Runner 2 is €103.20 instead of €129.",
        "Good glasses are a pleasure. Aldermere Matinee sunglasses for €79.",
        "好久不见,看看青原马克杯吧。",
    ],
)
def test_plain_text_passes(text: str) -> None:
    assert fluency(text) >= GATE
