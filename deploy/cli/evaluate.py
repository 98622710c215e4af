"""`./rapport evaluate`: how good models are on behaviour that they have not learned from."""

from __future__ import annotations

import os

import typer

from deploy.cli.broker import kafka_settings
from services.content.training import command as content
from services.recommender.evaluation import command as recommender

app = typer.Typer(no_args_is_help=True, help="Judge models on held-out behaviour, with figures and intervals.")


@app.callback()
def towards_the_stack() -> None:
    """Commands read the settings: here they learn of the running stack's broker, unless one is set."""
    os.environ.setdefault("RAPPORT_KAFKA__BOOTSTRAP_SERVERS", kafka_settings(None).bootstrap_servers)


app.command("copywriter", help="A fine-tuned copywriter against its base, on the shop's copy.")(content.evaluate)
app.command("recommender", help="The recommender's sources and rankers.")(recommender.evaluate)
