"""An encoder of random weights learns a task that its vectors alone do not tell."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from rapport.models.heads import SoftmaxHead
from rapport.models.registry import Registry
from rapport.models.torch_encoder import TorchEncoder
from rapport.models.tuning.examples import Example, truth_of
from rapport.models.tuning.fine_tune import Tuned, fine_tune
from rapport.models.tuning.learning import learn
from rapport.models.tuning.recipe import ROLE, Recipe
from rapport.ops.errors import InvalidRequest, ModelError
from rapport.ops.settings import ModelSettings, Settings
from tests.unit.models.tiny import tiny_encoder

SAID = {
    "return": ["send it back", "i return this", "take it back please"],
    "track": ["where is my parcel", "when will it come", "track my order"],
    "cancel": ["cancel it", "stop the order now", "i do not want it any more"],
}
FILL = ["hello", "so", "well", "today", "thanks", "you", "know", "the", "lamp", "kettle"]


def examples(number: int, seed: int = 0) -> list[Example]:
    """Each label's phrases among filling words."""
    dice = random.Random(seed)
    found = []
    for at in range(number):
        label = sorted(SAID)[at % len(SAID)]
        before, after = dice.choices(FILL, k=2), dice.choices(FILL, k=2)
        found.append(Example(label, " ".join([*before, dice.choice(SAID[label]), *after])))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = [*FILL, *(phrase for phrases in SAID.values() for phrase in phrases), "weather", "rain"]
    return tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder", words)


def tune(folder: Path, recipe: Recipe, given: list[Example] | None = None) -> tuple[Tuned, list[str]]:
    said: list[str] = []
    return fine_tune("test/task", folder, None, given or examples(240), recipe, said.append), said


@pytest.mark.parametrize("method", ["full", "lora"])
def test_what_is_learned_is_served_alike_by_the_encoder_that_it_brings(
    method: str, folder: Path, tmp_path: Path
) -> None:
    tuned, said = tune(folder, Recipe("lora" if method == "lora" else "full", epochs=4, rate=2e-3))
    assert tuned.validation.accuracy > 0.9
    assert {each.label for each in tuned.validation.labels} == set(SAID)
    assert "of" in said[0]
    texts = [each.text for each in examples(60, seed=1)]
    before = tuned.head.probabilities(tuned.vectors(texts))
    version = Registry(tmp_path).make(tuned.save, name="task", kind="classifier")
    served = TorchEncoder(version.folder / "encoder", "task", None, "cpu", 1)
    head = SoftmaxHead.load(version.folder)
    vectors = served.forward(served.tokenize(texts, ROLE))
    assert head.temperature == tuned.head.temperature
    assert np.abs(head.probabilities(vectors) - before).max() < 0.05
    right = [head.labels[at] for at in head.probabilities(vectors).argmax(axis=1)]
    assert np.mean([told == each.label for told, each in zip(right, examples(60, seed=1), strict=True)]) > 0.9


def mixed(seed: int) -> list[Example]:
    """Texts of one label, of two, and of none."""
    singles, dice = examples(180, seed), random.Random(seed)
    pairs = zip(singles, dice.sample(singles, len(singles)), strict=True)
    several = [Example(a.label, f"{a.text} {b.text}", (b.label,) * (a.label != b.label)) for a, b in pairs]
    return [*singles, *several, *(Example("", " ".join(dice.choices(FILL, k=6))) for _ in range(90))]


def test_a_text_may_have_several_labels_or_none(folder: Path) -> None:
    tuned, _ = tune(folder, Recipe("full", multi_label=True, epochs=5, rate=2e-3), mixed(0))
    assert tuned.validation.micro_f1 > 0.9
    unseen = mixed(1)
    said = tuned.head.probabilities(tuned.vectors([each.text for each in unseen])) > 0.5
    right = (said == truth_of(unseen, tuned.head.labels)).all(axis=1)
    assert right.mean() > 0.9
    assert right[-90:].mean() > 0.9


def test_what_is_unlike_anything_learned_has_the_higher_energy(folder: Path) -> None:
    tuned, _ = tune(folder, Recipe("full", epochs=4, rate=2e-3))
    known = tuned.head.told(tuned.vectors([each.text for each in examples(30, seed=2)]))[1]
    odd = tuned.head.told(tuned.vectors(["hello weather rain today", "rain rain", "you know weather"]))[1]
    assert odd.mean() > known.mean()


def test_only_what_the_recipe_names_is_trained(folder: Path) -> None:
    """The word table stays as it is unless asked for; of the layers, the uppermost ones learn."""
    for recipe, trained in (
        (Recipe("full", epochs=1), {"encoder.layer.0", "encoder.layer.1"}),
        (Recipe("full", epochs=1, layers=1), {"encoder.layer.1"}),
        (Recipe("full", epochs=1, words=True), {"embeddings", "encoder.layer.0", "encoder.layer.1"}),
    ):
        network = tune(folder, recipe, examples(60))[0].network
        learned = {name for name, weight in network.encoder.named_parameters() if weight.requires_grad}
        assert {
            part
            for part in ("embeddings", "encoder.layer.0", "encoder.layer.1")
            if any(name.startswith(part) for name in learned)
        } == trained


def test_it_stops_when_time_is_up_or_nothing_gets_better(folder: Path) -> None:
    _, said = tune(folder, Recipe("full", epochs=50, minutes=1e-6))
    assert "time is up" in said[-1]
    tuned, _ = tune(folder, Recipe("full", epochs=50, rate=1e-9, patience=2))
    assert tuned.seen < 50 * 216 / 2


def test_every_method_makes_a_version_and_scores_unseen_examples(folder: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    settings = Settings(models=ModelSettings(cache=tmp_path, encoder=str(folder)))
    made = ((Recipe("head"), "head"), (Recipe("words"), "head"), (Recipe("full", epochs=3, rate=2e-3), "classifier"))
    for recipe, kind in made:
        learned = learn("task", examples(240), examples(60, seed=1), recipe, settings, lambda _: None)
        assert learned.kind == kind
        assert learned.scores.metrics()["support:track"] == 20
        assert ("encoder" in learned.requires) == (kind == "head")
        assert learned.head.told(learned.vectors(["hello"]), ["hello"])[1].shape == (1,)
    assert learned.scores.accuracy > 0.9
    several = learn(
        "task", examples(240), examples(60, seed=1), Recipe("head", multi_label=True), settings, lambda _: None
    )
    assert isinstance(several.head, SoftmaxHead)
    assert several.head.independent
    with pytest.raises(InvalidRequest, match="without a label"):
        learn("task", [Example("", "x")], [], Recipe("head"), settings, lambda _: None)


def test_an_encoder_of_another_family_is_refused_by_name(tmp_path: Path) -> None:
    from transformers import DistilBertConfig, DistilBertModel

    folder = tiny_encoder(tmp_path / "other", FILL)
    config = DistilBertConfig(vocab_size=30, dim=8, n_layers=1, n_heads=1, hidden_dim=8)
    DistilBertModel(config).save_pretrained(folder, safe_serialization=True)
    with pytest.raises(ModelError, match="DistilBert"):
        tune(folder, Recipe("full"))
