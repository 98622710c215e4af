"""`./rapport train copywriter` and `./rapport evaluate copywriter`. Heavy imports wait until a command runs."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.content.training import COPYWRITER

if TYPE_CHECKING:
    from services.content.settings import ContentSettings
    from services.content.training.dataset import Example
    from services.content.training.lora import Learner

KIND = "lora"
# Fewer than this teach a model their words and nothing else.
_FEWEST = 20
File = Annotated[Path | None, typer.Option("--file", help="Examples as JSON lines instead of the shop's own copy.")]
Every = Annotated[bool, typer.Option("--every", help="All published copy, not only what was approved or did well.")]
Judged = Annotated[int, typer.Option(min=1, help="Held-out questions that are answered by both models.")]


def train(
    file: File = None,
    every: Every = False,
    epochs: Annotated[float, typer.Option(min=0.1)] = 2.0,
    rank: Annotated[int, typer.Option(min=1, max=64, help="Of the added matrices.")] = 8,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 3e-4,
    judge: Judged = 24,
    keep_worse: Annotated[bool, typer.Option("--keep-worse", help="Register it even if the base is better.")] = False,
) -> None:
    """Fine-tunes the copywriter's language model (LoRA) on approved and well-performing copy, and judges it.

    A version that is no better than its base is not registered, so that nobody can promote it.
    """
    from rapport.models.registry import Registry
    from rapport.ops.errors import InvalidRequest
    from services.content.settings import ContentSettings
    from services.content.training.dataset import parted
    from services.content.training.judging import better, judged
    from services.content.training.lora import Learner, Plan

    settings = ContentSettings.load()
    examples = _examples(settings, file, every)
    if len(examples) < _FEWEST:
        found = f"{len(examples)} examples, at least {_FEWEST} are needed"
        raise InvalidRequest(found, field="--every", fix="approve more copy, or give --every")
    learn, held = parted(examples, 0.2, Plan().seed)
    held = held[:judge]
    base = _base(settings)
    learner = Learner.load(base)
    before = judged(held, learner.perplexity(held), learner.answer)
    typer.echo(f"{len(learn)} examples to learn from, {len(held)} held out; base: {before}")
    learner.fit(learn, Plan(rank=rank, rate=rate, epochs=epochs), _told)
    after = judged(held, learner.perplexity(held), learner.answer)
    typer.echo(f"tuned: {after}")
    if not better(before, after) and not keep_worse:
        typer.echo("no better than the base: not registered", err=True)
        raise typer.Exit(1)
    with tempfile.TemporaryDirectory(prefix="rapport-copywriter-") as folder:
        learner.save(Path(folder))
        metrics = before.metrics("base") | after.metrics("tuned") | {"examples": float(len(learn))}
        version = Registry(settings.models.cache).register(
            Path(folder), name=COPYWRITER, kind=KIND, metrics=metrics, requires={"generator": base.name}
        )
    typer.echo(f"{COPYWRITER} {version.version}: in {version.folder}")
    typer.echo(f"use it: ./rapport models promote {COPYWRITER} {version.version}")


def evaluate(version: str, file: File = None, every: Every = False, judge: Judged = 24) -> None:
    """Judges a registered copywriter against its base on the shop's copy as it is now."""
    from peft import PeftModel

    from rapport.models.registry import Registry
    from services.content.settings import ContentSettings
    from services.content.training.judging import judged

    settings = ContentSettings.load()
    found = Registry(settings.models.cache).load(COPYWRITER, version)
    examples = _examples(settings, file, every)[:judge]
    learner = _loaded(settings)
    before = judged(examples, learner.perplexity(examples), learner.answer)
    learner.model, learner.adapted = PeftModel.from_pretrained(learner.model, found.folder), True
    after = judged(examples, learner.perplexity(examples), learner.answer)
    typer.echo(f"{len(examples)} questions\nbase:  {before}\ntuned: {after}")


def _told(step: int, steps: int, loss: float) -> None:
    if step % 10 == 0 or step == steps:
        typer.echo(f"  step {step}/{steps}, loss {loss:.3f}")


def _loaded(settings: ContentSettings) -> Learner:
    from services.content.training.lora import Learner

    return Learner.load(_base(settings))


def _base(settings: ContentSettings) -> Path:
    """The folder of the prepared language model."""
    from rapport.models.sets import chosen
    from rapport.models.sources import locate

    return locate(chosen(settings.models).generator, settings.models.cache)


def _examples(settings: ContentSettings, file: Path | None, every: bool) -> list[Example]:
    from services.content.training.dataset import read_examples
    from services.content.training.reading import published

    if file is not None:
        return read_examples(file)
    # Copy in a language that the model does not write is the templates' own.
    written = settings.content.model_languages
    return [each for each in asyncio.run(published(settings, every=every)) if each.language.split("-")[0] in written]
