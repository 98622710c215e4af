"""The contract files, by path, as they must stand on disk."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from rapport.events.asyncapi import document
from rapport.events.reference import page
from rapport.events.schemas import json_schema
from rapport.events.topics import EVENTS, TOPICS


class _Plain(yaml.SafeDumper):
    """Anchors would puzzle readers of the document."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def contract_files(version: str) -> dict[Path, str]:
    """Every generated contract file: path under the output folder → content."""
    described = yaml.dump(document(version), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
    files = {Path("asyncapi.yaml"): described, Path("events.md"): page(), Path("topics.json"): _json(_topics())}
    for event in EVENTS.values():
        files[Path("schemas") / f"{event.event_name}.v{event.major}.json"] = _json(json_schema(event))
    return files


def write(files: dict[Path, str], folder: Path) -> list[Path]:
    """Writes what differs. Returns the paths written."""
    changed = stale(files, folder)
    for path in changed:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(files[path], encoding="utf-8")
    return changed


def stale(files: dict[Path, str], folder: Path) -> list[Path]:
    """The paths whose content on disk is missing or differs."""
    return [
        path
        for path, content in files.items()
        if not (folder / path).is_file() or (folder / path).read_text(encoding="utf-8") != content
    ]


def _topics() -> list[dict[str, object]]:
    return [
        {
            "name": topic.name,
            "key": topic.key,
            "config": topic.config(),
            "events": [event.ce_type() for event in topic.events],
            "written_by": topic.written_by,
            "read_by": topic.read_by,
        }
        for topic in TOPICS.values()
    ]


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
