"""Tokens for lexical overlap (BM25 and its like)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rapport.text.normalise import normalise

_HAN_RUN = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
# A run of Chinese, a number with its decimals, or a word with inner apostrophes.
_TOKEN = re.compile(rf"({_HAN_RUN})|(\d+(?:\.\d+)+|(?:(?!{_HAN_RUN})[^\W_])+(?:['’](?:(?!{_HAN_RUN})[^\W_])+)*)")


def tokens(text: str) -> list[str]:
    """Lower-case words and numbers; Chinese as overlapping character pairs, which need no dictionary.

    "Trail Runner 2，防水跑鞋" gives trail, runner, 2, 防水, 水跑, 跑鞋.
    """
    return list(_tokens(normalise(text).casefold()))


def _tokens(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        chinese, word = match.groups()
        if word is not None:
            yield word.replace("’", "'")
        elif len(chinese) == 1:
            yield chinese
        else:
            yield from (chinese[at : at + 2] for at in range(len(chinese) - 1))
