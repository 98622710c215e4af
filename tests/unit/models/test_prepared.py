"""Folders that are built once: whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rapport.models.prepared import prepared


class Builder:
    def __init__(self, content: str = "weights") -> None:
        self.content, self.times = content, 0

    def __call__(self, folder: Path) -> Mapping[str, object]:
        self.times += 1
        (folder / "model.safetensors").write_text(self.content)
        return {"license": "MIT"}


def content(folder: Path) -> str:
    return (folder / "model.safetensors").read_text()


def test_built_once_and_again_only_when_its_source_changes(tmp_path: Path) -> None:
    folder, builder = tmp_path / "cache" / "model", Builder()
    assert prepared(folder, "a/b", "wheel 1", builder)
    assert not prepared(folder, "a/b", "wheel 1", builder)
    assert content(folder) == "weights"
    builder.content = "newer"
    assert prepared(folder, "a/b", "wheel 2", builder)
    assert content(folder) == "newer"
    assert builder.times == 2


def test_a_build_that_fails_leaves_nothing_to_read_and_can_be_repeated(tmp_path: Path) -> None:
    folder = tmp_path / "model"

    def killed(aside: Path) -> Mapping[str, object]:
        (aside / "half").write_text("")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        prepared(folder, "a/b", "wheel 1", killed)
    assert not folder.exists()
    assert prepared(folder, "a/b", "wheel 1", Builder())
    assert not (folder / "half").exists()
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == [folder]


def test_two_at_once_build_once(tmp_path: Path) -> None:
    folder, builder, together = tmp_path / "model", Builder(), threading.Barrier(4)

    def prepare() -> bool:
        together.wait(10)
        return prepared(folder, "a/b", "wheel 1", builder)

    with ThreadPoolExecutor(4) as pool:
        built = [future.result() for future in [pool.submit(prepare) for _ in range(4)]]
    assert sorted(built) == [False, False, False, True]
    assert builder.times == 1
