"""`./rapport train answers FILE`. Heavy imports wait until the command runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

# Looks without progress, of twelve: the figure stands near nothing for long before it rises.
_PATIENCE = 8
File = Annotated[Path, typer.Argument(help="Rows with question, passage, answer and start: .jsonl, .csv, .parquet.")]
Validate = Annotated[Path | None, typer.Option(help="To stop and calibrate by; else a tenth of FILE's passages.")]
Test = Annotated[Path | None, typer.Option(help="Questions to report on, which nothing is fitted on.")]
Epochs = Annotated[int, typer.Option(min=1, help="Times that each question is seen.")]
Batch = Annotated[int, typer.Option(min=1, help="Questions a step.")]
Rate = Annotated[float, typer.Option(min=0, help="The encoder's step size; 0: 1e-4.")]
Minutes = Annotated[float, typer.Option(min=0, help="Stop after so long and keep the best; 0: no limit.")]
Seed = Annotated[int, typer.Option(help="Of what is drawn by lot.")]
Promote = Annotated[bool, typer.Option("--promote", help="Have the running chatbot use it at once.")]


def answers(
    file: File,
    validate: Validate = None,
    test: Test = None,
    epochs: Epochs = 6,
    batch: Batch = 16,
    rate: Rate = 0.0,
    minutes: Minutes = 0.0,
    seed: Seed = 0,
    promote: Promote = False,
) -> None:
    """Learns to point at the words of a quotation that answer, from a shop's questions with their answers' places.

    A row whose answer is empty teaches that its passage does not answer.
    """
    from rapport.models.promotions import follow_up
    from rapport.models.registry import Registry
    from rapport.models.tuning.recipe import Recipe
    from services.chatbot.settings import ChatbotSettings
    from services.chatbot.training.answer_examples import read_answers
    from services.chatbot.training.answer_names import KIND, NAME
    from services.chatbot.training.answers import figures, learn_answers

    settings = ChatbotSettings.load()
    given = read_answers(file)
    aside = read_answers(validate, least=1) if validate else []
    held_out = read_answers(test, least=1) if test else []
    recipe = Recipe("full", epochs=epochs, minutes=minutes, patience=_PATIENCE, batch=batch, rate=rate, seed=seed)
    learned = learn_answers(given, aside, recipe, settings, typer.echo)
    metrics = {"least": learned.least, "aside_f1": learned.f1}
    for found in figures(learned, held_out):
        typer.echo(f"test, {found.line()}")
        metrics |= {
            f"test_f1:{found.language}": round(found.f1, 4),
            f"test_exact:{found.language}": round(found.exact, 4),
        }
    version = Registry(settings.models.cache).make(learned.save, name=NAME, kind=KIND, metrics=metrics)
    typer.echo(asyncio.run(follow_up(version, settings, promoted=promote)))
