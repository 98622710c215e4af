"""Collections of articles, and questions about each in our own words."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapport.events.knowledge import ArticleUpserted
from services.demo.adapters.article_files import load_articles

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Case:
    text: str
    language: str
    right: frozenset[str]
    """Groups of articles that answer; none: the bot must say that it does not know."""


@dataclass(frozen=True, slots=True)
class Collection:
    name: str
    articles: Sequence[ArticleUpserted]
    cases: Sequence[Case]


def collections(data: Path) -> Iterator[Collection]:
    """The demo shop's, and those of `data` that are there."""
    yield Collection("demo shop", load_articles(), list(_demo()))
    faq = data / "ecommerce-faq-zh-store" / "faq_zh.json"
    if faq.is_file():
        yield Collection("ecommerce-faq-zh-store", list(_faq(faq)), list(_cases("faq_zh.toml")))
    guidelines = data / "abcd-guidelines" / "guidelines.json"
    if guidelines.is_file():
        yield Collection("abcd-guidelines", list(_guidelines(guidelines)), list(_cases("abcd.toml")))


def _demo() -> Iterator[Case]:
    file = _HERE.parents[1] / "integration" / "chatbot" / "questions.toml"
    for question in tomllib.loads(file.read_text(encoding="utf-8"))["question"]:
        groups = frozenset([f"help-{question['topic']}"]) if question["topic"] else frozenset[str]()
        yield Case(question["text"], "zh" if any("\u4e00" <= c <= "\u9fff" for c in question["text"]) else "en", groups)


def _cases(name: str) -> Iterator[Case]:
    told = tomllib.loads((_HERE / name).read_text(encoding="utf-8"))
    alike = {str(one): frozenset(map(str, group)) for group in told["same"] for one in group}
    for language in ("zh", "en"):
        for text, answer in told[language]:
            key = str(answer or "")
            yield Case(text, language, alike.get(key, frozenset([key])) if key else frozenset())


def _faq(file: Path) -> Iterator[ArticleUpserted]:
    for entry in json.loads(file.read_text(encoding="utf-8")):
        yield ArticleUpserted(
            article_id=str(entry["qid"]), language="zh", title=entry["question"], body=entry["answer"]
        )


def _guidelines(file: Path) -> Iterator[ArticleUpserted]:
    for flow, told in json.loads(file.read_text(encoding="utf-8")).items():
        for name, subflow in told["subflows"].items():
            yield ArticleUpserted(
                article_id=name, language="en", title=f"{flow}: {name}", body="\n".join(_texts(subflow))
            )


def _texts(told: Any) -> Iterator[str]:
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        for value in told.values():
            yield from _texts(value)
    elif isinstance(told, list):
        for value in told:
            yield from _texts(value)
