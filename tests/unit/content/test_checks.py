"""Copy with a wrong fact or a forbidden claim never passes; honest copy does."""

from __future__ import annotations

import pytest

from services.content.domain.checks import Checker
from services.content.domain.facts import facts_of

from .conftest import SHOE, brief

EN = "Fernhill Trail Runner 2 is 20% off until 12 March: €103.20 instead of €129."
ZH = "云岭越野跑鞋二代8折优惠,截至3月12日:现价€103.20,原价€129。"


def problems(checker: Checker, text: str, language: str = "en", **changes: object) -> list[str]:
    asked = brief(language=language, **changes)
    return checker.problems(text, facts_of(asked, {"p-1": SHOE}), kind=asked.kind, channel=asked.channel)


def test_honest_copy_passes(checker: Checker) -> None:
    assert problems(checker, EN) == []
    assert problems(checker, ZH, "zh") == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Fernhill Trail Runner 2 is 25% off.", "25 (percent)"),
        ("Fernhill Trail Runner 2 now €99.", "99 (price)"),
        ("Fernhill Trail Runner 2 for €20.", "20 (price)"),  # the discount is no price
        ("Fernhill Trail Runner 2, 20% off until 15 March.", "15 (date or quantity)"),
        ("Fernhill Trail Runner 2 is half price.", "half"),
        ("Trail shoes are 20% off.", "does not name"),
        ("Product: Fernhill Trail Runner 2", "does not state the discount of 20%"),
        ("Fernhill Trail Runner 2 for €129 until 20 March.", "does not state the discount of 20%"),
        ("The best shoe: Fernhill Trail Runner 2.", "absolute"),
        ("Fernhill Trail Runner 2 with free shipping.", "promise"),
        ("Hurry, Fernhill Trail Runner 2 is 20% off.", "urgency"),
        ("Fernhill Trail Runner 2 heals your knees.", "health"),
        ("Fernhill Trail Runner 2: write to anna@example.com", "personal data"),
        ("Fernhill Trail Runner 2 for [your name].", "placeholder"),
        ("", "is empty"),
        ("Fernhill Trail Runner 2 " + "and more " * 300, "characters"),
        ("Fernhill Trail Runner 2 ２５％ off.", "25 (percent)"),  # full-width digits are digits
    ],
)
def test_wrong_copy_is_refused_with_the_reason(checker: Checker, text: str, problem: str) -> None:
    assert any(problem in found for found in problems(checker, text)), problems(checker, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("云岭越野跑鞋二代7折优惠。", "7 (折)"),
        ("云岭越野跑鞋二代,现价€129。", "does not state the discount of 8折"),
        ("云岭越野跑鞋二代,全网最低价。", "absolute"),
        ("云岭越野跑鞋二代,国家级品质。", "absolute"),
        ("云岭越野跑鞋二代,今天包邮。", "promise"),
        ("云岭越野跑鞋二代五折优惠。", "quantity"),
        ("Fernhill Trail Runner 2 is 20% off", "does not name"),
    ],
)
def test_wrong_chinese_copy_is_refused(checker: Checker, text: str, problem: str) -> None:
    assert any(problem in found for found in problems(checker, text, "zh")), problems(checker, text, "zh")


def test_sms_limit_depends_on_the_language(checker: Checker) -> None:
    long_zh = "云岭越野跑鞋二代" + "好" * 200
    assert any("characters" in found for found in problems(checker, long_zh, "zh", channel="sms"))
    assert not any("characters" in found for found in problems(checker, long_zh, "zh", channel="email"))
