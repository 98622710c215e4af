"""`./rapport train intents FILE`. Heavy imports wait until the command runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

# Looks without progress: of many intents the last epochs, of small steps, are worth a percent, though at first they may
# not show.
_PATIENCE = 6
File = Annotated[
    Path, typer.Argument(help="Examples: .csv, .tsv, .jsonl or .parquet with a text and an intent column.")
]
Text = Annotated[str, typer.Option("--text", help="Column of the text.")]
Intent = Annotated[str, typer.Option("--intent", help="Column of the intent.")]
Only = Annotated[bool, typer.Option("--only", help="Leave out Rapport's own examples.")]
Promote = Annotated[bool, typer.Option("--promote", help="Have the running chatbot use it at once.")]
How = Annotated[
    Literal["head", "full", "lora"],
    typer.Option(help="head: on the encoder as it is, seconds; full, lora: the encoder learns too, minutes."),
]
Validate = Annotated[
    Path | None, typer.Option(help="Examples to calibrate on (full, lora); else a tenth of FILE is set aside.")
]
Test = Annotated[Path | None, typer.Option(help="Examples to report on, which nothing is fitted on.")]
GiveUp = Annotated[
    float,
    typer.Option(min=0, max=0.5, help="Share told rightly that may be taken for out of scope (full, lora)."),
]
Batch = Annotated[int, typer.Option(min=1, help="Examples a step (full, lora).")]
Epochs = Annotated[int, typer.Option(min=1, help="Times that each example is seen (full, lora).")]
Rate = Annotated[float, typer.Option(min=0, help="The encoder's step size; 0: the method's own (full, lora).")]
Minutes = Annotated[float, typer.Option(min=0, help="Stop after so long and keep the best; 0: no limit (full, lora).")]
Seed = Annotated[int, typer.Option(help="Of what is drawn by lot (full, lora).")]


def intents(
    file: File,
    text: Text = "text",
    intent: Intent = "intent",
    only: Only = False,
    method: How = "head",
    validate: Validate = None,
    test: Test = None,
    give_up: GiveUp = 0.0075,
    epochs: Epochs = 5,
    batch: Batch = 32,
    rate: Rate = 0.0,
    minutes: Minutes = 0.0,
    seed: Seed = 0,
    promote: Promote = False,
) -> None:
    """Learns what customers want from a shop's own sentences, ten or more of each intent.

    Rapport's own examples are learned along unless --only: so a few new intents can be added to those there are.
    Sentences of the intent out_of_scope teach what is none of them.
    """
    from rapport.models.promotions import follow_up
    from rapport.models.registry import Registry
    from rapport.models.tuning.recipe import Recipe
    from services.chatbot.settings import ChatbotSettings
    from services.chatbot.training.examples import beside
    from services.chatbot.training.fitting import by_head, by_tuning
    from services.chatbot.training.report import lines, tested
    from services.chatbot.training.versions import NAME

    settings = ChatbotSettings.load()
    known = _known(file, text, intent, only=only)
    names = set(known.values())
    # All files before the training: a mistake in one must not cost minutes.
    aside = beside(validate, text, intent, names, "--validate") if validate else {}
    tries = beside(test, text, intent, names, "--test") if test else {}
    if method == "head":
        fitted = by_head(known, settings)
    else:
        recipe = Recipe(method, epochs=epochs, minutes=minutes, patience=_PATIENCE, batch=batch, rate=rate, seed=seed)
        fitted = by_tuning(known, aside, recipe, give_up, settings, typer.echo)
    metrics = {"accuracy": round(fitted.facts.accuracy, 4), "act_from": round(fitted.facts.act_from, 4)}
    typer.echo("\n".join(lines(fitted.facts, len(known))))
    if tries:
        found = tested(fitted, tries)
        metrics |= found.metrics()
        typer.echo(found.line())
    make = Registry(settings.models.cache).make
    version = make(fitted.write, name=NAME, kind=fitted.kind, metrics=metrics, requires=fitted.requires)
    typer.echo(asyncio.run(follow_up(version, settings, promoted=promote)))


def _known(file: Path, text: str, intent: str, *, only: bool) -> dict[str, str]:
    """Intent by text: the file's, beside Rapport's own unless `only`. Raises `InvalidRequest` for one intent alone."""
    from rapport.ops.errors import InvalidRequest
    from services.chatbot.domain.understanding import Understanding
    from services.chatbot.training.examples import read_examples

    given = read_examples(file, text, intent)
    for line in given.refused:
        typer.echo(f"left out, {line}", err=True)
    known = dict([] if only else Understanding.load().examples) | dict(given.pairs)
    if len(set(known.values())) < 2:
        raise InvalidRequest(f"{file.name} has one intent", field="FILE", fix="two or more, to tell them apart")
    return known
