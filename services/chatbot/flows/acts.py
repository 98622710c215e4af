"""What a message does to the request under way: agrees, denies, drops it, adds to it, or asks something else."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Literal

from services.chatbot.domain.understanding import plain_form

Act = Literal["yes", "no", "drop", "everything", "also", "instead", "condition", "question"]
# Around a whole-message pattern: what people put before and after without meaning anything.
_AROUND = r"^[\W_]*(?:{})[\W_]*$"
# Said first or last out of politeness. Cut off before a message is compared as a whole.
_POLITE = re.compile(
    r"^(?:(?:oh|ah|hm+|well|um+|ok(?:ay)?|please|hi|hello|哦|嗯|那|请)[,.，。! ]+)+(?=\S)|"
    r"[,.，。! ]+(?:please|thanks?(?: you)?(?: (?:so|very) much)?|thx|谢谢(?:你|您)?|吧|啊|呀|哦|哈)[\W_]*$"
)


class Acts:
    """The words of every act, from the readable file beside this module."""

    def __init__(self, read: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        self._whole = {
            name: [re.compile(_AROUND.format(one)) for one in told.get("whole", ())] for name, told in read.items()
        }
        self._opens = {name: [re.compile(one) for one in told.get("opens", ())] for name, told in read.items()}

    @classmethod
    def load(cls) -> Acts:
        return cls(tomllib.loads(resources.files(__package__).joinpath("acts.toml").read_text("utf-8")))

    def is_only(self, act: Act, text: str) -> bool:
        """Whether the message is that and nothing else."""
        plain = plain_form(text)
        forms = {plain, _POLITE.sub("", plain)}
        return any(pattern.match(form) for pattern in self._whole[act] for form in forms)

    def rest_after(self, act: Act, text: str) -> str | None:
        """What follows the act's opening words; None when the message does not open so."""
        plain = plain_form(text)
        for pattern in self._opens[act]:
            if found := pattern.match(plain):
                return plain[found.end() :].strip()
        return None

    def has(self, act: Act, text: str) -> bool:
        """Whether the act's opening words stand anywhere (also), or make the message one (question)."""
        plain = plain_form(text)
        return any(pattern.search(plain) for pattern in self._opens[act])
