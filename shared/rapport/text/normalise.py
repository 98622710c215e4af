"""Texts in one form, before they are compared, embedded or cut into tokens."""

from __future__ import annotations

import re
import unicodedata

# Format characters that are seen by no reader but make equal texts differ: zero-width space, joiners, marks, BOM.
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACES = re.compile(r"\s+")


def normalise(text: str) -> str:
    """NFKC (full-width letters and digits become plain), no invisible or control characters, single spaces."""
    # Invisible ones first: between a letter and its accent they would keep the two from joining.
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    return _SPACES.sub(" ", _CONTROL.sub(" ", plain)).strip()
