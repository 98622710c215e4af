"""Both ways of learning intents, with one result: on the encoder as it is, and with one of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapport.models.ports import Rows
from rapport.models.tuning.examples import Example
from rapport.models.tuning.kinds import CLASSIFIER, HEAD
from rapport.models.tuning.recipe import Progress, Recipe
from rapport.ops.settings import Settings
from services.chatbot.training.embedding import local_vectors
from services.chatbot.training.intents import facts_from, learn_intents
from services.chatbot.training.versions import Facts


@dataclass(frozen=True, slots=True)
class Fitted:
    """`probabilities` [texts, labels] of texts; `save` writes the version's files but the facts, `write` all."""

    kind: str
    facts: Facts
    labels: Sequence[str]
    probabilities: Callable[[Sequence[str]], Rows]
    save: Callable[[Path], None]
    requires: Mapping[str, str]

    def write(self, folder: Path) -> None:
        self.save(folder)
        self.facts.save(folder)


def by_head(known: Mapping[str, str], settings: Settings) -> Fitted:
    """`known`: intent by text. Raises `ModelError` when the encoder is not there."""
    vectors = local_vectors(list(known), settings)
    learned = learn_intents(vectors.model, vectors.rows, list(known.values()))
    head = learned.head

    def probabilities(texts: Sequence[str]) -> Rows:
        return head.probabilities(local_vectors(texts, settings).rows)

    return Fitted(HEAD, learned.facts, head.labels, probabilities, head.save, {"encoder": str(vectors.model)})


def by_tuning(
    known: Mapping[str, str],
    validation: Mapping[str, str],
    recipe: Recipe,
    give_up: float,
    settings: Settings,
    progress: Progress,
) -> Fitted:
    """As `learn_tuned`, of intents by text; the facts are of the validation examples."""
    from services.chatbot.training.tuned import learn_tuned

    tuned = learn_tuned(_examples(known), _examples(validation), recipe, give_up, settings, progress)
    unseen = tuned.probabilities([each.text for each in tuned.validation])
    facts = facts_from(unseen, tuned.head.labels, [each.label for each in tuned.validation])

    def save(folder: Path) -> None:
        tuned.save(folder)
        tuned.head.save(folder)

    return Fitted(CLASSIFIER, facts, tuned.head.labels, tuned.probabilities, save, {})


def _examples(known: Mapping[str, str]) -> list[Example]:
    return [Example(intent, text) for text, intent in known.items()]
