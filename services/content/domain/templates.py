"""Copy templates: sandboxed Jinja, one YAML file a language, found by kind and channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, ValidationError

from rapport.ops.errors import ConfigurationError
from services.content.domain.facts import Facts

ANY = "any"


class TemplateEntry(BaseModel):
    """One template as written in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    kind: str
    channel: str = ANY
    version: int = 1
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    template_id: str
    version: int
    text: str


class Templates:
    """All templates of a folder, loaded and compiled once."""

    def __init__(self, by_language: dict[str, tuple[TemplateEntry, ...]]) -> None:
        self._by_language = by_language
        self._environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True)

    @classmethod
    def load(cls, folder: Path) -> Templates:
        """Raises `ConfigurationError` naming file and reason."""
        found = {}
        for path in sorted(folder.glob("*.yaml")):
            try:
                entries = yaml.safe_load(path.read_text(encoding="utf-8"))
                found[path.stem] = tuple(TemplateEntry.model_validate(entry) for entry in entries)
            except (ValidationError, yaml.YAMLError) as error:
                raise ConfigurationError(f"template file cannot be read: {error}", field=str(path)) from error
        return cls(found)

    def render(self, kind: str, channel: str, facts: Facts, *, need: str = "") -> Sequence[Rendered]:
        """Every fitting template filled in: those of the channel first, then those for any channel.

        Raises `ConfigurationError` when there is none for the kind and language.
        """
        language = facts.language.split("-")[0].lower()
        entries = [entry for entry in self._by_language.get(language, ()) if entry.kind == kind]
        fitting = [e for e in entries if e.channel == channel] + [e for e in entries if e.channel == ANY]
        if not fitting:
            known = ", ".join(sorted(self._by_language))
            raise ConfigurationError(f"no template for {kind} in {language!r}", field="language", fix=f"one of {known}")
        return [self._fill(entry, facts, need) for entry in fitting]

    def _fill(self, entry: TemplateEntry, facts: Facts, need: str) -> Rendered:
        first = facts.products[0]
        try:
            text = self._environment.from_string(entry.text).render(
                product=first,
                others=[product.name for product in facts.products[1:]],
                price=first.shown(first.price),
                sale_price=first.shown(first.sale_price),
                discount=facts.discount_text,
                starts=facts.day(facts.starts_at),
                ends=facts.day(facts.ends_at),
                need=need,
            )
        except TemplateError as error:
            raise ConfigurationError(f"template does not render: {error}", field=entry.id) from error
        return Rendered(entry.id, entry.version, " ".join(text.split()))
