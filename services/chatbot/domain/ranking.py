"""Which article answers, if any: g(q, a, r) = sim(q, a) + λ·sim(q, r), hybrid with BM25, and P(a | q) by softmax."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from services.chatbot.domain.shelf import Fit


@dataclass(frozen=True, slots=True)
class Weights:
    """How the parts of a score count. Chosen on the even questions of tests/integration/chatbot/questions.toml."""

    reference: float
    """λ."""
    lexical: float
    """Of the lexical share, 0 to 1."""
    nothing: float
    """Score of "no article answers": it takes part in the softmax like an article."""
    temperature: float
    answers_from: float
    """Score from which an article is likelier to answer than not."""
    answers_from_zh: float
    """The same of a Chinese question and a Chinese article, whose cosines lie lower than those of other pairs."""
    drift: float
    """By how much a message that leans on the question before may lower the score of an article. "For gold members?"
    leads hardly away from how long one can return things; "who is your boss?" does."""


# With vectors: the unit is the spread of unrelated cosines (see `Fit`).
# Both levels: of 148 questions of tests/bench/chatbot_knowledge (every second one) the best balance of precision and
# recall of refusals. Several articles that fit alike share P(a | q) but not the score: then one of them is answered.
HYBRID = Weights(
    reference=0.75, lexical=1.5, nothing=2.8, temperature=0.25, answers_from=2.85, answers_from_zh=2.35, drift=0.7
)
# Without: the lexical share alone, 0 to 1. Stern, since words alone mistake one subject for another.
WORDS_ONLY = Weights(
    reference=0.0, lexical=1.0, nothing=0.20, temperature=0.05, answers_from=0.15, answers_from_zh=0.15, drift=1.0
)
# What an article's version in another language than the question's counts beside the one in its own. The encoder is
# cross-lingual, so it is a second witness, and the weaker one.
_OTHER_LANGUAGE = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """An article that may answer."""

    group: str
    score: float
    probability: float
    """P(a | q), among all articles and "nothing"."""
    known: float
    """P(it answers at all), by its score alone."""
    fits: tuple[Fit, ...]
    """The best passage of each language version: the question's language first, then best first."""

    def passage_for(self, language: str) -> Fit:
        """The passage in `language`, else the best of any language."""
        return next((fit for fit in self.fits if fit.passage.language == language), self.fits[0])


def ranked(fits: Iterable[Fit], weights: Weights, language: str) -> list[Answer]:
    """Articles, best first. `language`: the question's."""
    versions: dict[str, dict[str, tuple[float, Fit]]] = {}
    for fit in fits:
        score = fit.answer + weights.reference * fit.reference + weights.lexical * fit.lexical
        of_group = versions.setdefault(fit.passage.group, {})
        held = of_group.get(fit.passage.language)
        if held is None or score > held[0]:
            of_group[fit.passage.language] = score, fit
    scores = {group: _joined(of_group, language) for group, of_group in versions.items()}
    # The largest exponent is 0, so nothing overflows.
    largest = max([weights.nothing, *scores.values()])
    shares = {group: math.exp((score - largest) / weights.temperature) for group, score in scores.items()}
    whole = sum(shares.values()) + math.exp((weights.nothing - largest) / weights.temperature)
    answers = []
    for group, of_group in versions.items():
        known = _known(scores[group], weights, language == "zh" and "zh" in of_group)
        answers.append(Answer(group, scores[group], shares[group] / whole, known, _ordered(of_group, language)))
    return sorted(answers, key=lambda answer: (-answer.score, answer.group))


def _known(score: float, weights: Weights, chinese: bool) -> float:
    level = weights.answers_from_zh if chinese else weights.answers_from
    return 0.5 * (1 + math.tanh((score - level) / weights.temperature / 2))


def _joined(versions: dict[str, tuple[float, Fit]], language: str) -> float:
    """The mean of all versions' scores, the one in the question's language counting most."""
    weight = {version: 1.0 if version == language else _OTHER_LANGUAGE for version in versions}
    return sum(weight[version] * score for version, (score, _) in versions.items()) / sum(weight.values())


def _ordered(versions: dict[str, tuple[float, Fit]], language: str) -> tuple[Fit, ...]:
    order = sorted(versions, key=lambda version: (version != language, -versions[version][0]))
    return tuple(versions[version][1] for version in order)
