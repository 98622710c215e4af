"""The same vectors from every runtime, alone and among others."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from rapport.models.encoders import open_encoder
from rapport.models.onnx_encoder import OnnxEncoder
from rapport.models.onnx_export import export
from rapport.models.openvino_encoder import OpenVinoEncoder
from rapport.models.optimise import LEAST_COSINE, built_in_texts, calibrate
from rapport.models.ports import Role, Rows, SequenceBackend
from rapport.models.quantising import Ranges, load, save
from rapport.models.runtime_encoder import Precision
from rapport.models.sets import SETS
from rapport.models.sources import locate
from rapport.models.torch_encoder import TorchEncoder
from rapport.ops.errors import ConfigurationError, ModelError
from rapport.ops.settings import Settings

CHOICE = SETS["tiny"].encoder
TEXTS = built_in_texts()[::20]


@pytest.fixture(scope="module")
def exact(settings: Settings) -> TorchEncoder:
    folder = locate(CHOICE, settings.models.cache)
    return TorchEncoder(folder, CHOICE.name, CHOICE.prefixes, "cpu", 0, torch.float32)


@pytest.fixture(scope="module")
def wanted(exact: TorchEncoder) -> Rows:
    return exact.forward(exact.tokenize(TEXTS, Role.PASSAGE))


@pytest.fixture(scope="module")
def ranges(exact: TorchEncoder) -> Ranges:
    return calibrate(exact, built_in_texts()[5::40])


def comes_as_near(encoder: SequenceBackend, wanted: Rows, precision: Precision) -> None:
    """As is asked of `precision`, alone and in a batch, under a revision that tells it from the exact one."""
    sequences = encoder.tokenize(TEXTS, Role.PASSAGE)
    together = encoder.forward(sequences)
    assert (together * wanted).sum(axis=1).min() >= LEAST_COSINE[precision]
    alone = np.concatenate([encoder.forward([sequence]) for sequence in sequences[::5]])
    assert (together[::5] * alone).sum(axis=1).min() >= 0.999
    assert encoder.model.revision.endswith("-int8") == (precision == "int8")


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_openvino_comes_as_near_as_is_asked_alone_and_in_a_batch(
    settings: Settings, wanted: Rows, ranges: Ranges, precision: Precision
) -> None:
    folder = locate(CHOICE, settings.models.cache)
    own = ranges if precision == "int8" else None
    encoder = OpenVinoEncoder(folder, CHOICE.name, CHOICE.prefixes, precision, 0, own)
    comes_as_near(encoder, wanted, precision)
    assert "openvino_telemetry.main" not in sys.modules


@pytest.fixture(scope="module")
def exported(settings: Settings, ranges: Ranges, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("onnx")
    export(locate(CHOICE, settings.models.cache), ranges, out)
    return out


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_an_exported_file_comes_as_near_as_is_asked_alone_and_in_a_batch(
    settings: Settings, wanted: Rows, exported: Path, precision: Precision
) -> None:
    folder = locate(CHOICE, settings.models.cache)
    encoder = OnnxEncoder(folder, CHOICE.name, CHOICE.prefixes, precision, 0, exported)
    comes_as_near(encoder, wanted, precision)


def test_a_calibration_survives_being_stored(ranges: Ranges, tmp_path: Path) -> None:
    save(ranges, tmp_path)
    again = load(tmp_path)
    assert again.keys() == ranges.keys()
    assert all(np.array_equal(again[name].smoothing, ranges[name].smoothing) for name in ranges)


def test_int8_without_a_calibration_says_how_to_get_one(settings: Settings) -> None:
    folder = locate(CHOICE, settings.models.cache)
    models = settings.models.model_copy(
        update={"runtime": "openvino", "precision": "int8", "cache": settings.models.cache / "nothing-here"}
    )
    with pytest.raises(ModelError, match="models optimise"):
        open_encoder(folder, CHOICE, models, settings.worker)
    with pytest.raises(ConfigurationError, match="int8 is for"):
        open_encoder(folder, CHOICE, models.model_copy(update={"runtime": "torch"}), settings.worker)


def test_onnx_runtime_says_which_files_it_looked_for(settings: Settings) -> None:
    folder = locate(CHOICE, settings.models.cache)
    models = settings.models.model_copy(update={"runtime": "onnxruntime"})
    with pytest.raises(ModelError, match=r"onnx/model\.onnx"):
        open_encoder(folder, CHOICE, models, settings.worker)
