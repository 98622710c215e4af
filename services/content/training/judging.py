"""Whether a fine-tuned copywriter is better than its base, on questions that it has not learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from services.content.domain.prompts import tidy
from services.content.domain.quality import fluency
from services.content.training.dataset import Example, grounded


@dataclass(frozen=True, slots=True)
class Judgement:
    """`grounded`: share of answers that name the product and hold no figure that the question does not have."""

    perplexity: float
    grounded: float
    fluency: float

    def metrics(self, prefix: str) -> dict[str, float]:
        return {f"{prefix}_{name}": round(value, 4) for name, value in asdict(self).items()}


def judged(
    examples: Sequence[Example], perplexity: float, answer: Callable[[Sequence[tuple[str, str]]], str]
) -> Judgement:
    """`answer` is asked each question once."""
    texts = [(example.turns[-1][1], tidy(answer(example.turns))) for example in examples]
    true = sum(grounded(question, text) for question, text in texts) / max(1, len(texts))
    return Judgement(perplexity, true, sum(fluency(text) for _, text in texts) / max(1, len(texts)))


def better(base: Judgement, tuned: Judgement) -> bool:
    """Likelier to write what was approved, and no less true or readable for it."""
    return (
        tuned.perplexity < base.perplexity and tuned.grounded >= base.grounded and tuned.fluency >= base.fluency - 0.02
    )
