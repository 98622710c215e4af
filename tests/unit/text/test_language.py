"""Language by script."""

from __future__ import annotations

import pytest

from rapport.text.language import identify_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my order?", "en"),
        ("café crème", "en"),
        ("防水跑鞋", "zh"),
        ("我的訂單在哪裡？", "zh"),
        ("我想买一双 Fernhill 跑鞋", "zh"),
        ("return policy 是什么", "mixed"),
        ("", "unknown"),
        ("12345 !!! 👟", "unknown"),
        ("Где мой заказ", "unknown"),
        ("ランニングシューズ", "unknown"),
        ("注文した靴はどこですか", "unknown"),
        ("주문이 어디 있나요", "unknown"),
    ],
)
def test_the_scripts_of_a_text_tell_its_language(text: str, language: str) -> None:
    assert identify_language(text) == language
