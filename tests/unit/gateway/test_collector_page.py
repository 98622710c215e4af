"""The published table of names is the one in the code."""

from __future__ import annotations

import re
from pathlib import Path

from services.gateway.domain.segment import TRACK_NAMES

PAGE = Path(__file__).parents[3] / "docs" / "collector.md"


def test_every_name_is_on_the_page_with_its_event() -> None:
    published: dict[str, str] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| track "):
            left, right = line.split("|")[1:3]
            names, events = re.findall(r"`([^`]+)`", left), re.findall(r"`([a-z]+_[a-z_]+)`", right)
            published |= dict(zip(names, events, strict=False))
    assert published == {name: event.event_name for name, event in TRACK_NAMES.items()}
