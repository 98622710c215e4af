"""`./rapport train sentiment|aspects|customer-type-texts FILE`. Heavy imports wait until a command runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

File = Annotated[Path, typer.Argument(help="Examples: .csv, .tsv or .jsonl with the columns label and text.")]
How = Annotated[
    Literal["head", "words", "full", "lora"],
    typer.Option(
        help="head: on the encoder as it is, seconds; words: reads the texts' n-grams beside it; "
        "full, lora: the encoder learns too."
    ),
]
Epochs = Annotated[int, typer.Option(min=1, help="Times that each example is seen, at most (full, lora).")]
Layers = Annotated[int, typer.Option(min=0, help="Train so many of the uppermost layers; 0: all (full, lora).")]
Minutes = Annotated[float, typer.Option(min=0, help="Stop after so long and keep the best; 0: no limit (full, lora).")]
Window = Annotated[int, typer.Option(min=8, help="Tokens of a text that are read (full, lora).")]
Test = Annotated[float, typer.Option(min=0.01, max=0.9, help="Share of the examples set aside for the test.")]
Seed = Annotated[int, typer.Option(help="The same seed sets the same examples aside.")]
Promote = Annotated[bool, typer.Option("--promote", help="Have the new version answer at once.")]


def command(task: str) -> Callable[..., None]:
    """The command that trains the classifier of `task`; versions are registered under this name."""

    def train(
        file: File,
        method: How = "head",
        epochs: Epochs = 3,
        layers: Layers = 0,
        minutes: Minutes = 0.0,
        window: Window = 128,
        test: Test = 0.2,
        seed: Seed = 0,
        promote: Promote = False,
    ) -> None:
        """Learns from labelled text, and says label by label how well it does on examples that it had not seen."""
        from rapport.models.promotions import follow_up
        from rapport.models.registry import Registry
        from rapport.models.tuning.examples import read_examples, split
        from rapport.models.tuning.learning import learn
        from rapport.models.tuning.recipe import Recipe
        from rapport.ops.settings import Settings

        settings = Settings.load()
        kept, aside = split(read_examples(file), test, seed)
        recipe = Recipe(method, epochs=epochs, layers=layers, minutes=minutes, window=window, seed=seed)
        learned = learn(task, kept, aside, recipe, settings, typer.echo)
        typer.echo(f"{'label':<20}{'precision':>10}{'recall':>8}{'F1':>8}{'examples':>10}")
        for each in learned.scores.labels:
            typer.echo(f"{each.label:<20}{each.precision:>10.3f}{each.recall:>8.3f}{each.f1:>8.3f}{each.support:>10}")
        scores = learned.scores
        typer.echo(f"accuracy {scores.accuracy:.4f}, macro F1 {scores.macro_f1:.4f}")
        version = Registry(settings.models.cache).make(
            learned.save, name=task, kind=learned.kind, metrics=scores.metrics(), requires=learned.requires
        )
        typer.echo(asyncio.run(follow_up(version, settings, promoted=promote)))

    return train
