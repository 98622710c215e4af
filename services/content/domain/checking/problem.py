"""What is wrong with copy, in words and by kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Code = Literal[
    "empty", "language", "product", "offer", "price", "percent", "discount", "date", "quantity", "fact_word",
    "unknown_word",
       "claim", "brand", "personal_data", "toxic", "link", "opt_out",
    "length", "characters", "duplicate", "unfinished", "fluency",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """`quote` is the part of the text that is wrong; empty when something is missing."""

    code: Code
    text: str
    quote: str = ""
