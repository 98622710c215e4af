"""What the generation loop needs of a language model, whoever runs it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from rapport.models.ports import ModelId
from rapport.ops.errors import RapportError


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to choose the next token. The same `seed` gives the same text, whoever else is served meanwhile.

    `temperature` 0: the likeliest (greedy). `top_p`: from the fewest tokens whose probabilities reach it. `top_k`: from
    the likeliest k; 0: all. The penalties lower the scores of what was said before, per time and once, as OpenAI
    defines them.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Constraint:
    """What the whole text must match: a JSON schema (the text of one), or a regular expression."""

    kind: Literal["json_schema", "regex"]
    rule: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one step brought a text: what is new, how many tokens were made, whether the model ended."""

    text: str
    tokens: int
    ended: bool


class Decoding(Protocol):
    """One text under way. Only its decoder looks inside."""

    @property
    def reused_tokens(self) -> int:
        """Tokens of the prompt that need not be computed, since another prompt began with them."""


Text = TypeVar("Text", bound=Decoding)


class Decoder(Protocol[Text]):
    """A language model. `prompt` and `begin` run on the tokenising thread, `step` and `rebuild` on the device's."""

    @property
    def model(self) -> ModelId: ...

    @property
    def context(self) -> int:
        """Tokens of prompt and answer together."""

    @property
    def slots(self) -> int:
        """Texts under way at once."""

    @property
    def adapters(self) -> Collection[str]:
        """Names that `begin` takes."""

    def prompt(self, turns: Sequence[tuple[str, str]]) -> list[int]:
        """Ids of the chat (role, content) in the model's own template, up to where the answer begins.

        Raises `InvalidRequest` when the template refuses the turns.
        """

    def begin(self, prompt: Sequence[int], sampling: Sampling, constraint: Constraint | None, adapter: str) -> Text:
        """A text to be decoded; no device work yet.

        Raises `InvalidRequest` for ids that the model does not have and for a constraint that cannot be kept,
        `NotFound` for an adapter.
        """

    def step(self, texts: Sequence[Text]) -> Sequence[Step | RapportError]:
        """A bounded piece of device work for each of `texts`, of which `slots` may be under way: a stretch of the
        prompt, or one token. An error in a text's place concerns that text alone.

        What it raises leaves the texts in doubt: `rebuild`, then they can go on.
        """

    def end(self, text: Text) -> None:
        """`text` is not continued; its place is free from the next step on. Any thread; twice does no harm."""

    def rebuild(self) -> None:
        """Begins anew with an empty cache. Texts under way read their prompt, and what they said, once more."""
