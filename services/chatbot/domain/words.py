"""Words that carry a subject: what lexical overlap and the support of a sentence are counted on."""

from __future__ import annotations

from rapport.text.tokens import tokens

_ENGLISH = """
a about an and any are as at be been but by can could did do does for from had has have he her his how i i'd i'll i'm if
in into is it its just like may me might more most my of on or our please shall she should so some such than that the
their them then there these they this those to us was we were what when where which who why will with would you your
"""
# Chinese tokens are pairs of characters, so these are the pairs that questions are made of.
_CHINESE = """
什么 怎么 么样 么办 怎样 如何 可以 能不 不能 多少 多久 几天 有没 没有 是不 哪里 请问 一个 一下 这个 那个 时候 么时
你们 我的 我想 我要 想把 吗 呢 的 了 吧 啊 我 你 您 能 会 要 想 有 是 在 和 与 也 都 就
"""
_FUNCTION = frozenset((_ENGLISH + _CHINESE).split())
# Enough for plurals and tenses; used on both sides alike, so a wrong stem still matches itself.
_ENDINGS = ("ing", "ed", "es", "s")
_LEAST_STEM = 4


def content_words(text: str) -> list[str]:
    """Tokens without function words, English ones without plural and tense endings: returns, returned → return."""
    return [stem(token) for token in tokens(text) if token not in _FUNCTION]


def product_words(text: str) -> list[str]:
    """`content_words` of names of goods: many are short, and asked for in the plural: mugs, tees, caps."""
    return [
        word[:-1] if len(word) == _LEAST_STEM and word.isascii() and word[-1] == "s" else word
        for word in content_words(text)
    ]


def stem(token: str) -> str:
    """An English word without plural and tense endings."""
    if token.isascii():
        for ending in _ENDINGS:
            if token.endswith(ending) and len(token) - len(ending) >= _LEAST_STEM:
                return token[: -len(ending)]
    return token
