"""`./rapport evaluate`: how good models are on behaviour that they have not learned from."""

from __future__ import annotations

import typer

from deploy.cli.broker import towards_the_stack
from services.content.training import command as content
from services.recommender.evaluation import command as recommender

app = typer.Typer(no_args_is_help=True, help="Judge models on held-out behaviour, with figures and intervals.")

app.callback()(towards_the_stack)

app.command("copywriter", help="A fine-tuned copywriter against its base, on the shop's copy.")(content.evaluate)
app.command("recommender", help="The recommender's sources and rankers.")(recommender.evaluate)
