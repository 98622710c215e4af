"""What of the environment is a setting, and errors that name the variable and the fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic_core import ErrorDetails

from rapport.ops.errors import ConfigurationError

PREFIX = "RAPPORT_"
# Sections that belong to one service each: the others let them pass, since one environment serves all processes.
SERVICE_SECTIONS = frozenset({"profiler", "recommender", "chatbot", "content", "gateway", "http", "demo", "local"})
# What the launcher itself reads, before any service exists.
LAUNCHER_KEYS = frozenset({"RAPPORT_HOME"})


def known_names(settings: type[BaseModel]) -> set[str]:
    """Every environment variable that `settings` reads."""
    return {f"{PREFIX}{path}".upper() for path in _paths(settings, within=False)}


def refuse_unknown(settings: type[BaseModel], environment: Mapping[str, str]) -> None:
    """Raises `ConfigurationError` for a variable of ours that no process reads."""
    known = known_names(settings) | LAUNCHER_KEYS
    own = {name.removeprefix(PREFIX).split("__")[0].lower() for name in known}
    others = SERVICE_SECTIONS - own
    for name in environment:
        if not name.startswith(PREFIX) or name.upper() in known:
            continue
        if name.removeprefix(PREFIX).split("__")[0].lower() in others:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        raise ConfigurationError("no such setting", field=name, fix=f"did you mean {near[0]}?" if near else "unset it")


def not_json(error: Exception, environment: Mapping[str, str]) -> ConfigurationError:
    """Pydantic names the section alone; the text that it could not read tells the variable."""
    text = getattr(error.__cause__, "doc", None)
    name = next((name for name, given in environment.items() if given == text), PREFIX)
    return ConfigurationError("is not JSON", field=name, fix="correct or unset it")


def refused(settings: type[BaseModel], first: ErrorDetails) -> ConfigurationError:
    """The first value that does not fit, and what was given: but a secret stands in no log, not even a wrong one."""
    known, name, inside = known_names(settings), PREFIX + "__".join(map(str, first["loc"])).upper(), list[str]()
    while name not in known and "__" in name:
        # A place within the value: a list's number, a key of a JSON object.
        name, _, part = name.rpartition("__")
        inside.insert(0, part.lower())
    shown = isinstance(first["input"], str | int | float) and not _is_secret(settings, first["loc"])
    given = f", got {first['input']!r}" if shown else ""
    said = ": ".join(filter(None, (".".join(inside), first["msg"].removeprefix("Value error, "))))
    return ConfigurationError(f"{said}{given}", field=name, fix="correct or unset it")


def _paths(group: type[BaseModel], *, within: bool) -> Iterator[str]:
    """Names of the leaves and of the sections within a section, which may be given whole as JSON."""
    for key, field in group.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            if within:
                yield key
            yield from (f"{key}__{leaf}" for leaf in _paths(section, within=True))
        else:
            yield key


def _is_secret(settings: type[BaseModel], place: Sequence[object]) -> bool:
    group: Any = settings
    for key in place:
        field = group.model_fields.get(str(key)) if isinstance(group, type) and issubclass(group, BaseModel) else None
        group = field.annotation if field else None
    return SecretStr in {group, *get_args(group)}
