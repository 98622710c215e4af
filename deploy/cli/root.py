"""The root command: a table of all commands, of which only the one that is asked for is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import typer

from deploy.cli.output import complain
from rapport.ops.errors import RapportError


@dataclass(frozen=True, slots=True)
class Command:
    """`module` has `app` (a group of commands) or `run` (a single one)."""

    name: str
    module: str
    help: str


# The help is repeated here so that `./rapport --help` imports none of them: some take seconds.
COMMANDS = (
    Command("up", "deploy.cli.up", "Start everything on this machine and wait until it is ready."),
    Command("status", "deploy.cli.status", "What runs, in which state, where."),
    Command("logs", "deploy.cli.logs", "Show the logs of one process or of all."),
    Command("down", "deploy.cli.down", "Stop everything; the data stays."),
    Command("reset", "deploy.cli.reset", "Stop everything and remove its data."),
    Command("demo", "deploy.cli.demo", "The demo shop: catalogue, articles, shoppers."),
    Command("import", "deploy.cli.importing", "Bring in a catalogue or events from CSV, JSON lines or Parquet."),
    Command("content", "deploy.cli.content", "Copy: write it, in bulk too, approve it, see its experiments."),
    Command("dlq", "deploy.cli.dlq", "Dead letters: list them, replay them."),
    Command("contracts", "deploy.cli.contracts", "JSON Schemas, AsyncAPI, the event reference, and gRPC code."),
    Command("models", "deploy.cli.models", "Prepare the models of the chosen set."),
    Command("train", "deploy.cli.train", "Fit models on the shop's own data and register them as versions."),
    Command("evaluate", "deploy.cli.evaluate", "Judge models on held-out behaviour, with figures and intervals."),
    Command("test", "deploy.cli.testing", "Run the checks and the tests, tier by tier."),
)


def build(wanted: str | None) -> typer.Typer:
    """The command line with the command `wanted` loaded, and every other one by name and help alone."""
    root = typer.Typer(
        name="rapport",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Rapport: a shop's event stream becomes profiles, recommendations, answers and copy.",
    )
    for command in COMMANDS:
        if command.name != wanted:
            root.command(command.name, help=command.help)(_not_loaded)
            continue
        module = import_module(command.module)
        if hasattr(module, "app"):
            root.add_typer(module.app, name=command.name, help=command.help)
        else:
            root.command(command.name)(module.run)
    return root


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an expected failure is one line on standard error and exit code 1."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    wanted = next((word for word in given if not word.startswith("-")), None)
    try:
        build(wanted)(given, prog_name="rapport")
    except RapportError as error:
        complain(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _not_loaded() -> None:
    """Stands for a command that was not asked for."""
