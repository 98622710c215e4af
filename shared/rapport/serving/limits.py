"""What a worker accepts, checked before anything is queued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapport.ops.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class TextLimits:
    """`texts`: in one call; `text_bytes`: UTF-8 bytes of one text."""

    texts: int
    text_bytes: int

    def check(self, texts: Sequence[str]) -> None:
        """Raises `InvalidRequest` naming the field."""
        if not texts:
            raise InvalidRequest("an empty list", field="texts", fix="give at least one text")
        if len(texts) > self.texts:
            raise InvalidRequest(f"{len(texts)} texts", field="texts", fix=f"at most {self.texts} in one call")
        for index, text in enumerate(texts):
            # Four bytes are the most that a character takes: the short ones need no encoding to be measured.
            if len(text) * 4 > self.text_bytes and len(text.encode()) > self.text_bytes:
                raise InvalidRequest(
                    f"{len(text.encode())} bytes", field=f"texts[{index}]", fix=f"at most {self.text_bytes}"
                )
