"""What serves in place of torch's float32 was compared with it; what comes not near enough never serves."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch

from rapport.models import optimise as optimising
from rapport.models import optimised
from rapport.models.encoders import open_encoder
from rapport.models.folder import identify
from rapport.models.onnx_encoder import OnnxEncoder
from rapport.models.onnx_export import export
from rapport.models.openvino_encoder import OpenVinoEncoder
from rapport.models.optimise import LEAST_COSINE, optimise
from rapport.models.ports import Role, SequenceBackend
from rapport.models.runtime_encoder import Runtime
from rapport.models.sets import Choice
from rapport.models.torch_encoder import TorchEncoder
from rapport.ops.errors import ModelError
from rapport.ops.settings import ModelSettings, WorkerSettings
from tests.unit.models.tiny import tiny_encoder

GOODS = ("warm boots for long walks", "a kettle that is quiet", "red dress", "green tea in the rain")
TEXTS = [" ".join(GOODS[at % 4] for at in range(start, start + size)) for size in (1, 2, 5) for start in range(4)]
ROLES = MappingProxyType(dict.fromkeys(Role, ""))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("models") / "tiny", TEXTS)


@pytest.fixture(scope="module")
def choice(folder: Path) -> Choice:
    return Choice("test/tiny", str(folder), prefixes=ROLES)


def exact(folder: Path) -> TorchEncoder:
    return TorchEncoder(folder, "test/tiny", ROLES, "cpu", 1, torch.float32)


def nearest(one: SequenceBackend, other: SequenceBackend) -> float:
    """The smallest cosine, the one's texts in one batch, the other's alone."""
    sequences = one.tokenize(TEXTS, Role.QUERY)
    alone = np.concatenate([other.forward([sequence]) for sequence in sequences])
    return float((one.forward(sequences) * alone).sum(axis=1).min())


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_what_passed_is_stored_and_served(folder: Path, choice: Choice, tmp_path: Path, runtime: Runtime) -> None:
    told: list[str] = []
    found = optimise(choice, folder, tmp_path, TEXTS, 1, told.append, runtime)
    assert all(each.worst >= LEAST_COSINE[precision] for precision, each in found.items())
    assert any(f"{runtime} int8" in line for line in told)
    models = ModelSettings(cache=tmp_path, runtime=runtime)
    encoder = open_encoder(folder, choice, models, WorkerSettings(threads=1))
    assert encoder.model.revision.endswith("-int8")
    assert nearest(encoder, exact(folder)) >= LEAST_COSINE["int8"]


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_what_comes_not_near_enough_is_refused_and_the_old_stays(
    folder: Path, choice: Choice, tmp_path: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    optimise(choice, folder, tmp_path, TEXTS, 1, lambda _: None, runtime)
    model = identify(folder, choice.name)
    stored = sorted(file.stat().st_mtime_ns for file in optimised.folder_of(tmp_path, model, runtime).rglob("*"))
    monkeypatch.setattr(optimising, "LEAST_COSINE", {**LEAST_COSINE, "int8": 1.1})
    with pytest.raises(ModelError, match="no nearer"):
        optimise(choice, folder, tmp_path, TEXTS, 1, lambda _: None, runtime)
    assert sorted(f.stat().st_mtime_ns for f in optimised.folder_of(tmp_path, model, runtime).rglob("*")) == stored


def test_robertas_positions_begin_behind_its_padding(folder: Path, tmp_path: Path) -> None:
    from transformers import XLMRobertaConfig, XLMRobertaModel

    config = XLMRobertaConfig(
        vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=80, pad_token_id=1, type_vocab_size=1,
    )  # fmt: skip
    roberta = tmp_path / "roberta"
    XLMRobertaModel(config).save_pretrained(roberta)
    shutil.copy(folder / "tokenizer.json", roberta)
    export(roberta, None, roberta)
    for encoder in (
        OpenVinoEncoder(roberta, "test/roberta", ROLES, "fp32", 1),
        OnnxEncoder(roberta, "test/roberta", ROLES, "fp32", 1),
    ):
        assert nearest(encoder, exact(roberta)) >= LEAST_COSINE["fp32"]


def test_a_folders_own_onnx_file_is_taken_and_a_missing_one_is_told(folder: Path, tmp_path: Path) -> None:
    own = shutil.copytree(folder, tmp_path / "brings-onnx")
    with pytest.raises(ModelError, match="optimise --runtime onnxruntime"):
        OnnxEncoder(own, "test/tiny", ROLES, "fp32", 1)
    export(folder, None, own)
    assert nearest(OnnxEncoder(own, "test/tiny", ROLES, "fp32", 1), exact(folder)) >= LEAST_COSINE["fp32"]
