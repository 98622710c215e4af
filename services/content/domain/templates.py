"""Copy templates: sandboxed Jinja with typed slots, one YAML file a language, found by kind and channel.

A template is filled by code alone, or is a frame: it has the slot `words`, which the language model fills.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rapport.events.content import Channel, ContentKind
from rapport.ops.errors import ConfigurationError
from services.content.domain.facts import Facts
from services.content.domain.slots import SLOTS, Slots, sample_facts, slots_of

KINDS, CHANNELS = get_args(ContentKind), get_args(Channel)


class WordsSlot(BaseModel):
    """What the language model writes into a frame."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: Literal["whole", "opening"]
    """whole: all of the copy, facts included. opening: a line without any figure; the frame tells the facts."""
    max_characters: int = Field(ge=10, le=2000)


WHOLE = WordsSlot(task="whole", max_characters=2000)


class TemplateEntry(BaseModel):
    """One template as written in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    kind: ContentKind
    channels: tuple[Channel, ...] = CHANNELS
    version: int = Field(default=1, ge=1)
    needs: tuple[Literal["discount", "price", "ends", "need", "description", "personal"], ...] = ()
    """Facts without which the template is passed over."""
    words: WordsSlot | None = None
    text: str = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Rendered:
    entry: TemplateEntry
    text: str


class Templates:
    """All templates of a folder, checked and compiled once."""

    def __init__(self, by_language: Mapping[str, Sequence[TemplateEntry]]) -> None:
        """Raises `ConfigurationError` naming the template that uses an unknown slot or does not render."""
        self._environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, autoescape=False)
        self._by_language = by_language
        self._compiled: dict[tuple[str, str], Template] = {}
        for language, entries in by_language.items():
            for entry in entries:
                self._compiled[language, entry.id] = self._compile(entry, language)
            self._check_every_kind(language, entries)

    @classmethod
    def load(cls, folder: Path) -> Templates:
        """Raises `ConfigurationError` naming file and reason."""
        found = {}
        for path in sorted(folder.glob("*.yaml")):
            try:
                entries = yaml.safe_load(path.read_text(encoding="utf-8"))
                found[path.stem] = tuple(TemplateEntry.model_validate(entry) for entry in entries)
            except (ValidationError, yaml.YAMLError, TypeError) as error:
                raise ConfigurationError(f"template file cannot be read: {error}", field=str(path)) from error
            names = [entry.id for entry in found[path.stem]]
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ConfigurationError(f"template ids used twice: {', '.join(sorted(twice))}", field=str(path))
        if not found:
            raise ConfigurationError("no template files", field=str(folder))
        return cls(found)

    def fitting(self, kind: str, channel: str, facts: Facts, *, frames: bool, need: str = "") -> list[TemplateEntry]:
        """Templates (or frames) for the brief whose facts are there; those made for few channels first.

        Raises `ConfigurationError` when the language has none at all.
        """
        if facts.code not in self._by_language:
            known = ", ".join(sorted(self._by_language))
            raise ConfigurationError(f"no templates in {facts.language!r}", field="language", fix=f"one of {known}")
        entries = [
            entry
            for entry in self._by_language[facts.code]
            if entry.kind == kind
            and channel in entry.channels
            and (entry.words is not None) == frames
            and _has(facts, entry, need)
        ]
        return sorted(entries, key=lambda entry: len(entry.channels))

    def render(self, entry: TemplateEntry, facts: Facts, slots: Slots) -> Rendered:
        """The template filled in. Raises `ConfigurationError` naming it when it does not render."""
        try:
            text = self._compiled[facts.code, entry.id].render(slots)
        except TemplateError as error:
            raise ConfigurationError(f"template does not render: {error}", field=entry.id) from error
        return Rendered(entry, " ".join(text.split()))

    def entries(self) -> list[tuple[str, TemplateEntry]]:
        """Language and template, all of them."""
        return [(language, entry) for language, entries in self._by_language.items() for entry in entries]

    def preview(self, language: str, template_id: str) -> list[str]:
        """The template filled with made-up facts, with and without an offer. Raises `ConfigurationError` for no
        such.
        """
        entry = next((e for code, e in self.entries() if (code, e.id) == (language, template_id)), None)
        if entry is None:
            raise ConfigurationError(f"no template {template_id!r} in {language!r}", field="template_id")
        texts = (
            self.render(entry, facts, slots_of(facts, words="…", need="…")).text for facts in sample_facts(language)
        )
        return list(dict.fromkeys(texts))

    def _compile(self, entry: TemplateEntry, language: str) -> Template:
        try:
            used = meta.find_undeclared_variables(self._environment.parse(entry.text))
            unknown = used - SLOTS.keys()
            if unknown:
                raise ConfigurationError(
                    f"unknown slot {', '.join(sorted(unknown))}",
                    field=f"{language}: {entry.id}",
                    fix=f"one of {', '.join(SLOTS)}",
                )
            if ("words" in used) != (entry.words is not None):
                raise ConfigurationError("`words` must be both declared and used", field=f"{language}: {entry.id}")
            compiled = self._environment.from_string(entry.text)
            for facts in sample_facts(language):
                if _has(facts, entry, "x") and not compiled.render(slots_of(facts, words="x", need="x")).strip():
                    raise ConfigurationError("renders to nothing", field=f"{language}: {entry.id}")
        except TemplateError as error:
            raise ConfigurationError(f"template does not render: {error}", field=f"{language}: {entry.id}") from error
        return compiled

    def _check_every_kind(self, language: str, entries: Sequence[TemplateEntry]) -> None:
        """Every kind on every channel must have a template that needs nothing: it is what is left when all else
        fails.
        """
        for kind in KINDS:
            for channel in CHANNELS:
                if not any(e.kind == kind and channel in e.channels and not e.needs and not e.words for e in entries):
                    raise ConfigurationError(f"no plain template for {kind} on {channel}", field=language)


def _has(facts: Facts, entry: TemplateEntry, need: str) -> bool:
    first = facts.products[0]
    there: dict[str, Any] = {
        "discount": facts.discount_percent, "price": first.price, "ends": facts.ends_at, "need": need,
        "description": first.description, "personal": facts.personal,
    }  # fmt: skip
    return all(there[name] for name in entry.needs)
