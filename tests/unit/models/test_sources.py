"""From a setting to a folder: what is found, and what is said when nothing is."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from rapport.models.sets import SETS, Choice, chosen, model_set
from rapport.models.sources import locate
from rapport.ops.errors import ConfigurationError, ModelError
from rapport.ops.settings import ModelSettings


def test_every_set_that_the_settings_allow_is_there() -> None:
    for name in SETS:
        assert chosen(ModelSettings(set=name)) == model_set(name)
    with pytest.raises(ConfigurationError, match="tiny"):
        model_set("huge")


def test_a_setting_overrides_one_model_of_the_set() -> None:
    models = chosen(ModelSettings(encoder="/models/mine"))
    assert models.encoder.source == "/models/mine"
    assert models.generator == SETS["tiny"].generator


def test_a_set_that_is_not_prepared_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=str(tmp_path)) as caught:
        locate(SETS["tiny"].encoder, tmp_path)
    assert "models prepare" in str(caught.value)


@pytest.mark.parametrize("source", ["/no/such/folder", "./nothing", "~/nothing/here", "just-a-name", "a/b/c"])
def test_a_path_to_nothing_is_not_asked_of_a_hub(tmp_path: Path, source: str) -> None:
    with pytest.raises(ModelError, match="no model at"):
        locate(Choice("x", source), tmp_path)


def test_a_folder_of_safetensors_is_itself(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert locate(Choice("x", str(tmp_path)), tmp_path / "cache") == tmp_path


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(ModelError, match=r"broken\.gguf"):
        locate(Choice("x", str(file)), tmp_path / "cache")


def test_the_sentiment_seed_is_balanced_and_bilingual() -> None:
    lines = resources.files("rapport.models").joinpath("sentiment_seed.tsv").read_text("utf-8").splitlines()
    examples = [line.split("\t") for line in lines]
    assert len({text for _, text in examples}) == len(examples) >= 120
    for label in ("negative", "neutral", "positive"):
        texts = [text for given, text in examples if given == label]
        assert len(texts) == len(examples) / 3
        assert sum(text.isascii() for text in texts) == len(texts) / 2
