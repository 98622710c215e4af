"""Copy as the checks read it: in one form, and with the words that are given to it marked."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from rapport.text.normalise import normalise
from services.content.domain.facts import Facts

# Marks from Unicode's private use area stand for given words: they are no letters and no digits, so that no check
# reads them as words of the copywriter. One a product, so that prices can be told apart by whose they are.
_PRODUCT_MARK, _GIVEN_MARK = 0xE000, "\uf8ff"
PRODUCT_MARKS = re.compile(r"[\ue000-\uf8fe]")
# Signs that look like % or like a digit with a ring around it; NFKC leaves these as they are.
_LOOKALIKES = str.maketrans(
    {"٪": "%", "﹪": "%", "⁒": "%", "￠": "¢", "٫": ".", "٬": ",", "’": "'", "‘": "'", "\ufe0f": "", "\u20e3": ""}
)


@dataclass(frozen=True, slots=True)
class Passage:
    """`plain`: the whole in one form (NFKC, single spaces). `bare`: the same with given words replaced by marks."""

    plain: str
    bare: str

    @property
    def named(self) -> frozenset[int]:
        """Places (in `Facts.products`) of the products that are named."""
        return frozenset(ord(mark) - _PRODUCT_MARK for mark in PRODUCT_MARKS.findall(self.bare))

    def owner(self, at: int) -> int | None:
        """Which product was named last before position `at` of `bare`; None: none was."""
        before = PRODUCT_MARKS.findall(self.bare[:at])
        return ord(before[-1]) - _PRODUCT_MARK if before else None


def one_form(text: str) -> str:
    """NFKC with look-alikes of signs and digits made plain. Accents that hide Latin letters stay: they are spelling."""
    plain = normalise(text).translate(_LOOKALIKES)
    return "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in plain)


def passage(text: str, facts: Facts, *given: str) -> Passage:
    """`given`: more words that are not the copywriter's own (a need's label, the opt-out line)."""
    plain = one_form(text)
    marks = [
        (one_form(name), chr(_PRODUCT_MARK + at)) for at, product in enumerate(facts.products) for name in product.names
    ]
    marks += [(one_form(words), _GIVEN_MARK) for words in (*facts.quotable, *given) if words]
    bare = plain
    for words, mark in sorted(marks, key=lambda pair: len(pair[0]), reverse=True):
        if words:
            bare = re.sub(_whole(words), f" {mark} ", bare, flags=re.IGNORECASE)
    return Passage(plain, re.sub(r"\s+", " ", bare).strip())


def _whole(words: str) -> str:
    """A pattern for the words, not within a longer word or number: brand "Go" must not mark half of "Google"."""
    before = r"(?<![A-Za-z0-9])" if words[0].isascii() and words[0].isalnum() else ""
    after = r"(?![A-Za-z0-9])" if words[-1].isascii() and words[-1].isalnum() else ""
    return f"{before}{re.escape(words)}{after}"
