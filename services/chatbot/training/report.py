"""How well intents are told, for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from services.chatbot.domain.reading import OUT_OF_SCOPE
from services.chatbot.training.fitting import Fitted
from services.chatbot.training.versions import Facts


@dataclass(frozen=True, slots=True)
class Tested:
    """`in_scope`: share of the sentences in scope that are told rightly, of which one taken for out of scope is none.
    `out_of_scope`: share of the others that are taken for it; None without such sentences.
    """

    in_scope: float
    out_of_scope: float | None
    sentences: int

    def metrics(self) -> dict[str, float]:
        found = {"test_in_scope": round(self.in_scope, 4)}
        return found if self.out_of_scope is None else found | {"test_out_of_scope": round(self.out_of_scope, 4)}

    def line(self) -> str:
        other = "" if self.out_of_scope is None else f", out-of-scope recall {self.out_of_scope:.4f}"
        return f"test, {self.sentences} sentences: in-scope accuracy {self.in_scope:.4f}{other}"


def tested(fitted: Fitted, examples: Mapping[str, str]) -> Tested:
    """By the likeliest intent of each of `examples` (intent by text)."""
    said = np.array(fitted.labels)[fitted.probabilities(list(examples)).argmax(axis=1)]
    truth = np.array(list(examples.values()))
    inside = truth != OUT_OF_SCOPE
    caught = None if inside.all() else float((said[~inside] == OUT_OF_SCOPE).mean())
    return Tested(float((said[inside] == truth[inside]).mean()), caught, len(truth))


def lines(facts: Facts, examples: int) -> Iterator[str]:
    """Intent by intent, the worst first."""
    yield f"{examples} examples of {len(facts.by_intent)} intents; left out of the fit, right of each:"
    for name, share in sorted(facts.by_intent.items(), key=lambda pair: pair[1]):
        yield f"  {name:<24}{share:.2f}"
    yield f"of all {facts.accuracy:.3f}; acted on from a probability of {facts.act_from:.2f}"
