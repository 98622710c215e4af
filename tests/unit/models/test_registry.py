"""The registry: what goes in comes out unchanged, or not at all."""

from __future__ import annotations

import io
import pickle
import zipfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rapport.models.registry import Registry
from rapport.ops.errors import InvalidRequest, ModelError, NotFound, StateConflict


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    folder = tmp_path / "trained"
    (folder / "inner").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "inner" / "weights.safetensors").write_bytes(b"\x80\x02" + bytes(62) + b".")
    np.save(folder / "factors.npy", np.eye(2))
    return folder


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "cache")


def test_a_version_comes_back_with_its_files_and_figures(registry: Registry, trained: Path) -> None:
    version = registry.register(trained, name="ranker", kind="lambdamart", metrics={"ndcg@10": 0.4})
    loaded = registry.load("ranker", version.version)
    assert loaded == version
    assert (loaded.folder / "inner" / "weights.safetensors").read_bytes().startswith(b"\x80\x02")
    assert dict(loaded.metrics) == {"ndcg@10": 0.4}
    assert loaded.kind == "lambdamart"


def test_versions_are_listed_oldest_first(tmp_path: Path, trained: Path) -> None:
    for hour in (9, 7, 8):
        at = datetime(2026, 11, 22, hour, tzinfo=UTC)
        Registry(tmp_path / "cache", partial(datetime.fromtimestamp, at.timestamp(), UTC)).register(
            trained, name="ranker", kind="test", version=f"v{hour}"
        )
    registry = Registry(tmp_path / "cache")
    assert [each.version for each in registry.versions("ranker")] == ["v7", "v8", "v9"]
    assert registry.names() == ["ranker"]


def test_the_same_version_is_not_registered_twice(registry: Registry, trained: Path) -> None:
    registry.register(trained, name="ranker", kind="test", version="v1")
    with pytest.raises(StateConflict, match="registered already"):
        registry.register(trained, name="ranker", kind="test", version="v1")
    assert [each.version for each in registry.versions("ranker")] == ["v1"]


@pytest.mark.parametrize("damage", ["changed", "missing", "stray"])
def test_damaged_files_are_not_loaded(registry: Registry, trained: Path, damage: str) -> None:
    folder = registry.register(trained, name="ranker", kind="test", version="v1").folder
    if damage == "changed":
        (folder / "config.json").write_text("{ }")
    elif damage == "missing":
        (folder / "config.json").unlink()
    else:
        (folder / "more.json").write_text("{}")
    with pytest.raises(ModelError):
        registry.load("ranker", "v1")


def test_what_is_not_there_is_said_with_what_is(registry: Registry, trained: Path) -> None:
    registry.register(trained, name="ranker", kind="test", version="v1")
    with pytest.raises(NotFound, match="v1"):
        registry.load("ranker", "v2")
    with pytest.raises(NotFound, match="none"):
        registry.load("unknown", "v1")


@pytest.mark.parametrize("name", ["", "../up", "A", "a/b", ".hidden", "x" * 101])
def test_a_name_that_cannot_be_a_folder_is_refused(registry: Registry, trained: Path, name: str) -> None:
    with pytest.raises(InvalidRequest):
        registry.register(trained, name=name, kind="test")
    with pytest.raises(InvalidRequest):
        registry.load("ranker", name)


def test_an_empty_folder_is_refused(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="not a folder with files"):
        registry.register(tmp_path / "empty", name="ranker", kind="test")


def _torch_archive() -> bytes:
    with io.BytesIO() as stream:
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("archive/data.pkl", b"anything")
        return stream.getvalue()


def _object_array() -> bytes:
    with io.BytesIO() as stream:
        np.save(stream, np.array([{"a": 1}], dtype=object))
        return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.pkl", b"anything"),
        ("model.joblib", b"anything"),
        ("pytorch_model.bin", _torch_archive()),
        ("renamed.json", pickle.dumps({"a": 1})),
        ("factors.npy", _object_array()),
    ],
)
def test_pickles_are_refused_whatever_their_name(registry: Registry, trained: Path, name: str, content: bytes) -> None:
    (trained / name).write_bytes(content)
    with pytest.raises(ModelError, match=name):
        registry.register(trained, name="ranker", kind="test")
    assert registry.versions("ranker") == []
    assert not [*registry.folder.glob("*/.*")]
