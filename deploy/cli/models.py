"""`./rapport models`: the models of the chosen set, trained versions, and which of them answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deploy.cli.context import settings_and_home
from deploy.cli.output import err, out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rapport.events.governance import ModelPromoted
    from rapport.models.registry import Registry
    from rapport.ops.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Models: prepare, register, list, promote, roll back.")

Name = Annotated[str, typer.Argument(help="The model, e.g. encoder, sentiment, recommender-ranker.")]
Broker = Annotated[str | None, typer.Option(help="host:port; default: the running stack, else the settings.")]
Metric = Annotated[list[str] | None, typer.Option("--metric", help="NAME=NUMBER, as measured; may be repeated.")]


@app.command()
def prepare() -> None:
    """Convert the models of RAPPORT_MODELS__SET into the cache, once."""
    # Imported here: it takes seconds, and --help should not.
    from rapport.models.prepare import prepare as prepare_set

    settings, _ = settings_and_home()
    prepare_set(settings.models.set, settings.models.cache, lambda text: print(text, flush=True))


@app.command()
def optimise(
    texts: Annotated[
        Path | None, typer.Option(exists=True, help="Your own texts, a line each; else built-in ones.")
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: as many as this process is granted.")] = 0,
    runtime: Annotated[
        Literal["openvino", "onnxruntime"], typer.Option(help="What shall run it; openvino is chosen by itself.")
    ] = "openvino",
) -> None:
    """Make the chosen encoder int8 for CPUs; refused unless its vectors stay as they are."""
    from rapport.models.optimise import TEXTS, built_in_texts
    from rapport.models.optimise import optimise as calibrate
    from rapport.models.sets import chosen
    from rapport.models.sources import locate
    from rapport.ops.errors import InvalidRequest

    settings, _ = settings_and_home()
    choice = chosen(settings.models).encoder
    lines = texts.read_text(encoding="utf-8").splitlines() if texts else built_in_texts()
    given = list(dict.fromkeys(line for line in lines if line.strip()))[:TEXTS]
    if len(given) < TEXTS:
        raise InvalidRequest(f"{len(given)} different texts", field="--texts", fix=f"give at least {TEXTS}")
    folder, cache = locate(choice, settings.models.cache), settings.models.cache
    calibrate(choice, folder, cache, given, threads, lambda text: out.print(text, markup=False), runtime)
    needed = "" if runtime == "openvino" else f" with RAPPORT_MODELS__RUNTIME={runtime}"
    out.print(f"{choice.name}: int8 stored; workers on CPUs use it from their next start{needed}", markup=False)


@app.command()
def register(
    name: Name,
    folder: Annotated[Path, typer.Argument(help="Its files; they are copied. Pickles are refused.")],
    kind: Annotated[str, typer.Option(help="What loads it: encoder, generator, head, classifier, lora, …")],
    metric: Metric = None,
) -> None:
    """Take a model that was made elsewhere into the registry."""
    metrics = dict(_metric(pair) for pair in metric or [])
    out.print(str(_registry().register(folder, name=name, kind=kind, metrics=metrics)), markup=False)


@app.command("list")
def list_(name: Annotated[str | None, typer.Argument(help="One model only.")] = None, broker: Broker = None) -> None:
    """Every version, newest last; the promoted ones are marked."""
    from rich.table import Table

    registry, promoted = _registry(), _promoted_if_known(broker)
    table = Table(box=None, pad_edge=False)
    for heading in ("model", "version", "kind", "made", "metrics", ""):
        # A narrow terminal folds the figures: the version has to stay whole, to be copied.
        table.add_column(heading, overflow="fold", no_wrap=heading != "metrics")
    for model in [name] if name else registry.names():
        answering = promoted[model].version if model in promoted else None
        for each in registry.versions(model):
            made = f"{each.manifest.created_at:%Y-%m-%d %H:%M}Z"
            mark = "[green]promoted[/]" if each.version == answering else ""
            table.add_row(model, each.version, each.kind, made, _metrics(each.metrics), mark)
    if table.row_count:
        out.print(table)
    else:
        out.print(f"no versions of {name}" if name else "no versions", markup=False)


@app.command()
def show(name: Name, version: str, broker: Broker = None) -> None:
    """One version's manifest as JSON, after its files have been checked against it."""
    found = _registry().load(name, version)
    promoted = _promoted_if_known(broker).get(name)
    err.print(f"{found.folder}, files as registered", markup=False, soft_wrap=True)
    if promoted is not None:
        earlier = ", ".join(promoted.earlier) or "none"
        err.print(f"promoted: {promoted.version}; before it: {earlier}", markup=False, soft_wrap=True)
    print(found.manifest.model_dump_json(indent=2))


@app.command()
def promote(name: Name, version: str, broker: Broker = None) -> None:
    """Have this version answer from now on; running services take it over by themselves."""
    from rapport.models.promotions import promote as publish

    found = _registry().load(name, version)
    event = asyncio.run(publish(found, _settings(broker)))
    before = f", before: {event.earlier[-1]}" if event.earlier else ""
    out.print(f"{name} {version} promoted{before}", markup=False, soft_wrap=True)


@app.command()
def rollback(name: Name, broker: Broker = None) -> None:
    """Return to the version that was promoted before; before the first, to none at all; a trial ends."""
    out.print(asyncio.run(_roll_back(name, _settings(broker))), markup=False, soft_wrap=True)


async def _roll_back(name: str, settings: Settings) -> str:
    from rapport.models.promotions import promotions, roll_back, withdraw
    from rapport.ops.errors import StateConflict

    before = (await promotions(settings)).get(name)
    if before is None:
        raise StateConflict(f"no version of {name} is promoted", fix="./rapport models promote NAME VERSION")
    if not before.earlier:
        await withdraw(name, settings)
        return f"{name} {before.version} withdrawn; no version of it is promoted any more"
    version = _registry().load(name, before.earlier[-1])
    await roll_back(version, before, settings)
    return f"{version} answers again instead of {before.version}"


def _registry() -> Registry:
    from rapport.models.registry import Registry

    settings, _ = settings_and_home()
    return Registry(settings.models.cache)


def _settings(broker: str | None) -> Settings:
    """The environment's settings, on the given broker or the one of the running stack."""
    from deploy.cli.broker import kafka_settings
    from rapport.ops.settings import Settings

    return Settings.load().model_copy(update={"kafka": kafka_settings(broker)})


def _promoted_if_known(broker: str | None) -> Mapping[str, ModelPromoted]:
    """What is promoted; nothing, and a remark, when no broker answers: the versions can be told without one."""
    from rapport.models.promotions import promotions
    from rapport.ops.errors import UnavailableError

    try:
        return asyncio.run(promotions(_settings(broker)))
    except UnavailableError as error:
        err.print(f"which are promoted is not known: {error.message}", markup=False, soft_wrap=True)
        return {}


def _metric(pair: str) -> tuple[str, float]:
    from rapport.ops.errors import InvalidRequest

    name, _, value = pair.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise InvalidRequest(f"{pair!r} is not NAME=NUMBER", field="--metric") from error


def _metrics(metrics: Mapping[str, float]) -> str:
    """Without those of single labels, which `show` tells."""
    return ", ".join(f"{name} {value:.4g}" for name, value in sorted(metrics.items()) if ":" not in name)
