"""What a model folder says of itself, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rapport.models.folder import CARD, embedding, identify, refuse_pickles
from rapport.models.ports import ModelId, Role
from rapport.ops.errors import ModelError

E5 = {Role.QUERY: "query: ", Role.PASSAGE: "passage: "}


def write(folder: Path, **files: Any) -> Path:
    for name, content in files.items():
        file = folder / name.replace("__", "/")
        file = file.with_name(f"{file.name}.json")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.ckpt", "head.pkl"])
def test_pickles_are_refused_as_file_and_as_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04")
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(ModelError, match="pickle") as caught:
            refuse_pickles(path)
        assert "safetensors" in str(caught.value)


def test_a_pickle_beside_safetensors_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    (tmp_path / "model.safetensors").write_bytes(b"")
    refuse_pickles(tmp_path)


def test_an_empty_folder_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="safetensors"):
        refuse_pickles(tmp_path)


@pytest.mark.parametrize(
    ("pooling", "kind"),
    [
        ({"pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode": "cls"}, "cls"),
        ({}, "mean"),
    ],
)
def test_pooling(tmp_path: Path, pooling: dict[str, Any], kind: str) -> None:
    write(tmp_path, config={}, **{"1_Pooling__config": pooling})
    assert embedding(tmp_path).pooling == kind


def test_an_unknown_pooling_is_refused(tmp_path: Path) -> None:
    write(tmp_path, config={}, **{"1_Pooling__config": {"pooling_mode_lasttoken": True}})
    with pytest.raises(ModelError, match="lasttoken"):
        embedding(tmp_path)


def test_the_window_is_the_tightest_of_both_configurations(tmp_path: Path) -> None:
    write(tmp_path, config={"model_type": "xlm-roberta", "max_position_embeddings": 514})
    assert embedding(tmp_path).window == 512
    write(tmp_path, sentence_bert_config={"max_seq_length": 256})
    assert embedding(tmp_path).window == 256
    write(tmp_path, sentence_bert_config={"max_seq_length": 4096})
    assert embedding(tmp_path).window == 512


def test_the_folder_s_prefixes_win_over_the_set_s(tmp_path: Path) -> None:
    write(tmp_path, config={})
    assert embedding(tmp_path, E5).prefixes == E5
    assert embedding(tmp_path).prefixes == {Role.QUERY: "", Role.PASSAGE: ""}
    write(tmp_path, config_sentence_transformers={"prompts": {"query": "Q: ", "document": "D: "}})
    assert embedding(tmp_path, E5).prefixes == {Role.QUERY: "Q: ", Role.PASSAGE: "D: "}


def test_the_revision_changes_with_the_weights_alone(tmp_path: Path) -> None:
    write(tmp_path, config={})
    (tmp_path / "model.safetensors").write_bytes(b"a" * 3_000_000)
    first = identify(tmp_path, "shop/encoder")
    (tmp_path / "README.md").write_text("new words")
    assert identify(tmp_path, "shop/encoder") == first
    (tmp_path / "model.safetensors").write_bytes(b"a" * 2_999_999 + b"b")
    assert identify(tmp_path, "shop/encoder").revision != first.revision


def test_the_card_and_the_hub_s_commit_name_the_revision(tmp_path: Path) -> None:
    commit = tmp_path / "snapshots" / "0123456789abcdef0123"
    commit.mkdir(parents=True)
    assert identify(commit, "org/name") == ModelId("org/name", "0123456789ab")
    (commit / CARD).write_text('{"id": "other/name", "revision": "7"}')
    assert str(identify(commit, "org/name")) == "other/name@7"


def test_a_broken_configuration_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json"):
        embedding(tmp_path)
