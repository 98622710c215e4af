"""`./rapport models`."""

from __future__ import annotations

import typer

from deploy.cli.context import settings_and_home

app = typer.Typer(no_args_is_help=True, help="Prepare the models of the chosen set.")


@app.callback()
def group() -> None:
    """Keeps `prepare` a command of its own while it is the only one."""


@app.command()
def prepare() -> None:
    """Convert the models of RAPPORT_MODELS__SET into the cache, once."""
    # Imported here: it takes seconds, and --help should not.
    from rapport.models.prepare import prepare as prepare_set

    settings, _ = settings_and_home()
    prepare_set(settings.models.set, settings.models.cache, lambda text: print(text, flush=True))
