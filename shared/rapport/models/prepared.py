"""Folders that are made once on a machine and then only read: built aside, then moved into place in one step."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rapport.models.folder import CARD, fingerprint, read_json

_ASIDE = ".building-"

Build = Callable[[Path], Mapping[str, object]]
"""Fills an empty folder, and returns further lines for its card."""


def prepared(folder: Path, name: str, made_from: str, build: Build) -> bool:
    """Makes sure that `folder` holds what `build` makes of `made_from`; True when it was built now.

    A reader sees the folder whole or not at all; two processes that prepare the same folder wait for each other; what
    a killed one left behind is removed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    if _is(folder, made_from):
        return False
    with _alone(folder.parent / f"{_ASIDE}{folder.name}.lock"):
        if _is(folder, made_from):
            return False
        aside = folder.parent / f"{_ASIDE}{folder.name}"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        more = build(aside)
        card = {"id": name, "revision": fingerprint(aside), "made_from": made_from, **more}
        (aside / CARD).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        for file in aside.rglob("*"):
            # safetensors writes for its owner alone; prepared by root, read by a service's user.
            file.chmod(0o755 if file.is_dir() else 0o644)
        # An outdated folder goes first: a rename onto a folder that is not empty is refused.
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
    return True


def _is(folder: Path, made_from: str) -> bool:
    return read_json(folder / CARD).get("made_from") == made_from


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
