"""`./rapport train intents FILE`. Heavy imports wait until the command runs."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer

File = Annotated[
    Path, typer.Argument(help="Examples: .csv, .tsv, .jsonl or .parquet with a text and an intent column.")
]
Text = Annotated[str, typer.Option("--text", help="Column of the text.")]
Intent = Annotated[str, typer.Option("--intent", help="Column of the intent.")]
Only = Annotated[bool, typer.Option("--only", help="Leave out Rapport's own examples.")]
Promote = Annotated[bool, typer.Option("--promote", help="Have the running chatbot use it at once.")]


def intents(
    file: File, text: Text = "text", intent: Intent = "intent", only: Only = False, promote: Promote = False
) -> None:
    """Learns what customers want from a shop's own sentences, ten or more of each intent.

    Rapport's own examples are learned along unless --only: so a few new intents can be added to those there are.
    """
    from rapport.models.promotions import promote as promote_version
    from rapport.models.registry import Registry
    from services.chatbot.domain.understanding import Understanding
    from services.chatbot.settings import ChatbotSettings
    from services.chatbot.training.embedding import local_vectors
    from services.chatbot.training.examples import read_examples
    from services.chatbot.training.intents import learn_intents
    from services.chatbot.training.versions import KIND, NAME, save

    settings = ChatbotSettings.load()
    given = read_examples(file, text, intent)
    for line in given.refused:
        typer.echo(f"left out, {line}", err=True)
    known = dict([] if only else Understanding.load().examples) | dict(given.pairs)
    vectors = local_vectors(list(known), settings)
    learned = learn_intents(vectors.model, vectors.rows, list(known.values()))
    typer.echo(f"{len(known)} examples of {len(learned.by_intent)} intents; left out of the fit, right of each:")
    for name, share in sorted(learned.by_intent.items(), key=lambda pair: pair[1]):
        typer.echo(f"  {name:<24}{share:.2f}")
    metrics = {"accuracy": round(learned.accuracy, 4), "act_from": round(learned.act_from, 4)}
    with tempfile.TemporaryDirectory(prefix="rapport-intents-") as folder:
        save(learned, Path(folder))
        version = Registry(settings.models.cache).register(
            Path(folder), name=NAME, kind=KIND, metrics=metrics, requires={"encoder": str(vectors.model)}
        )
    if promote:
        asyncio.run(promote_version(version, settings))
    typer.echo(f"of all {learned.accuracy:.3f}; acted on from a probability of {learned.act_from:.2f}")
    follow = "promoted" if promote else f"./rapport models promote {version.name} {version.version}"
    typer.echo(f"{version.name} {version.version}: {follow}")
