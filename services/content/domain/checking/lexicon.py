"""Which words state facts, and whether the facts have them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import rjieba
import yaml

from rapport.ops.errors import ConfigurationError
from services.content.domain.checking.passage import PRODUCT_MARKS, one_form
from services.content.domain.checking.problem import Problem
from services.content.domain.facts import Facts

_WORD = re.compile(r"[a-z\u00c0-\u024f]+(?:['-][a-z\u00c0-\u024f]+)*", re.IGNORECASE)
_HAN = re.compile(r"[\u3400-\u9fff]+")
_ENDINGS = ("'s", "ies", "es", "s", "ing", "ed", "d", "ly", "r", "er")
# "free of", "long since", "light up your day", "cool!" would be read as facts; these uses state none.
_NO_FACT = re.compile(
    r"\b(?:feel free|light up|lights up|new (?:day|start)|too (?:long|short)|as long as|"
    r"so long|look(?:ing)? cool|any(?:where)? new|"
    r"local time|set (?:off|out)|code of|store (?:it|them)|been a while|short on|people who|lie down|"
    r"sit down|wind down|slow down|settle down|"
    r"fast approaching|in short|before long|lac(?:e|es|ing) up|the long way|"
    r"start(?:s|ing)? small|into the (?:green|blue)|"
    # "small adventures", "a warm welcome": the noun is the reader's day, not the product.
    r"(?:big|cool|fast|fresh|large|light|long|quick|quiet|safe|short|small|soft|warm) "
    r"(?:adventure|break|breath|day|dream|evening|glance|habit|hello|hour|idea|journey|joy|look|moment|morning|"
    r"night|pleasure|road|smile|start|step|story|surprise|thing|trip|visit|walk|way|week|weekend|welcome|word)s?)\b|不会|黑夜|白天|白日|红火|开心果|木有",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`concepts`: a pattern for each group of words of one meaning. `neutral`: words without facts, by language."""

    concepts: Sequence[re.Pattern[str]]
    neutral: dict[str, frozenset[str]]

    @classmethod
    def load(cls, folder: Path) -> Lexicon:
        """`concepts.yaml`, and one `<language>.txt` a language. Raises `ConfigurationError` naming the file."""
        path = folder / "concepts.yaml"
        try:
            groups = yaml.safe_load(path.read_text(encoding="utf-8"))
            concepts = [_pattern([str(word) for word in group]) for kind in groups.values() for group in kind]
        except (OSError, yaml.YAMLError, AttributeError, TypeError) as error:
            raise ConfigurationError(f"lexicon cannot be read: {error}", field=str(path)) from error
        return cls(tuple(concepts), {words.stem: _words(words) for words in sorted(folder.glob("*.txt"))})

    def unsupported(self, bare: str, facts: Facts) -> Iterator[Problem]:
        """Fact words of `bare` for which neither catalogue nor brief has a word of the same meaning."""
        text = _NO_FACT.sub(" ", bare)
        evidence = one_form(facts.evidence)
        for pattern in self.concepts:
            match = pattern.search(text)
            if match and not pattern.search(evidence):
                yield Problem("fact_word", f"not in the facts: {match.group()!r}", match.group())

    def unknown(self, bare: str, facts: Facts) -> Iterator[Problem]:
        """Words of `bare` that are neither neutral nor in the facts."""
        evidence = one_form(" ".join([facts.evidence, *(product.name for product in facts.products)])).lower()
        known = {stem for word in _WORD.findall(evidence) for part in (word, *word.split("-")) for stem in _stems(part)}
        plain = _NO_FACT.sub(" ", PRODUCT_MARKS.sub(" ", bare))
        neutral = self.neutral.get("en", frozenset())
        supported = [pattern for pattern in self.concepts if pattern.search(evidence)]
        for word in dict.fromkeys(match.lower() for match in _WORD.findall(plain)):
            parts = [word, *word.split("-")] if "-" in word else [word]
            whole = _stems(word) & (neutral | known) or any(pattern.fullmatch(word) for pattern in supported)
            if not whole and not (len(parts) > 1 and all(_stems(part) & (neutral | known) for part in parts[1:])):
                yield Problem("unknown_word", f"a word that the facts do not bear out: {word!r}", word)
        if facts.chinese:
            yield from self._unknown_chinese(plain, evidence, supported)

    def _unknown_chinese(self, plain: str, evidence: str, supported: Sequence[re.Pattern[str]]) -> Iterator[Problem]:
        neutral = self.neutral.get("zh", frozenset())
        for run in _HAN.findall(plain):
            for word in rjieba.cut(run):
                if word in evidence or _made_of(word, neutral):
                    continue
                if not any(pattern.search(word) for pattern in supported):
                    yield Problem("unknown_word", f"资料中没有的词: {word}", word)


def _stems(word: str) -> set[str]:
    found = {word}
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            stem = word[: -len(ending)]
            found |= {stem, f"{stem}e", f"{stem}y"}
            if len(stem) > 3 and stem[-1] == stem[-2]:
                found.add(stem[:-1])
    return found


def _made_of(word: str, neutral: frozenset[str]) -> bool:
    """Whether the word is neutral, or a chain of neutral words: the segmenter takes 谢谢您 for one."""
    if not word or word in neutral:
        return True
    return any(word[:at] in neutral and _made_of(word[at:], neutral) for at in range(1, len(word)))


def _pattern(group: Sequence[str]) -> re.Pattern[str]:
    latin = [re.escape(word).replace(r"\-", "[- ]?") for word in group if word.isascii()]
    han = [re.escape(word) for word in group if not word.isascii()]
    parts = [rf"\b(?:{'|'.join(latin)})(?:s|es|'s)?\b"] if latin else []
    return re.compile("|".join(parts + han), re.IGNORECASE)


def _words(path: Path) -> frozenset[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
