"""Rules and facts check against hand-made lines: every broken one is refused for its reason, no clean one is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.content.domain.facts import Facts, facts_of

from .conftest import CHECKER, NOW, SHOE, brief

FOLDER = Path(__file__).parent / "lines"
LINES: dict[str, Any] = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.yaml")}
BROKEN = [
    (language, code, text)
    for language, found in LINES.items()
    for code, texts in found["broken"].items()
    for text in texts
]
CLEAN = [(language, text) for language, found in LINES.items() for text in found["clean"]]


def facts(language: str) -> Facts:
    asked = brief(language=language, starts_at=datetime(2026, 3, 1, tzinfo=UTC))
    return CHECKER.screened(facts_of(asked, {"p-1": SHOE}, NOW))


def codes(language: str, text: str) -> dict[str, str]:
    found = CHECKER.problems(text, facts(language), kind="campaign", channel="email")
    return {problem.code: problem.text for problem in found}


def test_there_are_enough_lines_to_judge_by() -> None:
    assert len(BROKEN) >= 150
    assert {language for language, _, _ in BROKEN} == {"en", "zh"}


@pytest.mark.parametrize(("language", "code", "text"), BROKEN)
def test_a_broken_line_is_refused_for_its_reason(language: str, code: str, text: str) -> None:
    assert code in codes(language, text), codes(language, text)


@pytest.mark.parametrize(("language", "text"), CLEAN)
def test_a_clean_line_passes(language: str, text: str) -> None:
    assert codes(language, text) == {}
