"""`./rapport train recommender` and `./rapport train recommender-export`."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rapport.ops.errors import InvalidRequest
from rapport.ops.settings import Settings
from services.recommender.learned import names

if TYPE_CHECKING:
    from services.recommender.training.reading import Data

From = Annotated[
    Path | None, typer.Option("--from", help="A Parquet file of interactions, or a folder made by recommender-export.")
]
FromTopic = Annotated[bool, typer.Option("--from-topic", help="From the topics' beginning; the default.")]
Tenant = Annotated[str | None, typer.Option(help="Whose behaviour; default: the one of the settings.")]
_SHORT = {name.removeprefix("recommender-"): name for name in names.MODELS}


def train(
    from_topic: FromTopic = False,
    from_: From = None,
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(_SHORT)}; may be repeated.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Of the sequence model, at most.")] = 60,
    threads: Annotated[int, typer.Option(min=0, help="Of the sequence model; 0: all that there are.")] = 0,
    tenant: Tenant = None,
    promote: Annotated[bool, typer.Option("--promote", help="Have the versions that are better answer.")] = False,
) -> None:
    """Fit the recommender's models on a shop's behaviour, judge them on what was held out, register the versions."""
    from rapport.models.promotions import follow_up
    from rapport.models.registry import Registry
    from rapport.models.versions import check_name
    from services.recommender.evaluation.report import table
    from services.recommender.training.run import Options, train

    settings = Settings.load()
    models = [_named(short) for short in only or _SHORT]
    check_name(names.of_tenant(models[0], tenant or settings.tenant), "tenant")
    began = time.monotonic()
    data = read(settings, from_, tenant, from_topic=from_topic)
    result = train(data, Registry(settings.models.cache), Options(models, epochs, threads), _say)
    if result.lines:
        _say(f"\n{result.protocol}; full ranking\n{table(result.lines)}\n")
    for model, why in result.left_out.items():
        _say(f"{model}: no version: {why}")
    for version in result.versions:
        _say(f"{version} registered")
    for version in result.versions:
        if promote and version.name not in result.worse:
            _say(asyncio.run(follow_up(version, settings, promoted=True)))
    for model, why in result.worse.items():
        _say(f"{model}: better not promoted: {why}")
    _say(f"{time.monotonic() - began:.0f} s")


def export(
    folder: Annotated[Path, typer.Argument(help="Where interactions.parquet and impressions.parquet go.")],
    from_topic: FromTopic = False,
    tenant: Tenant = None,
) -> None:
    """Write the training data as Parquet: for one's own notebooks, or to train elsewhere with --from FOLDER."""
    from services.recommender.domain.features import FEATURES
    from services.recommender.training.files import write

    for file, rows in write(read(Settings.load(), None, tenant, from_topic=from_topic), folder, FEATURES).items():
        _say(f"{folder / file}: {rows} rows")


def read(settings: Settings, from_: Path | None, tenant: str | None, *, from_topic: bool) -> Data:
    """Training data from where the options say. Raises `InvalidRequest` when they contradict."""
    from services.recommender.training.files import from_files
    from services.recommender.training.reading import from_topics

    if from_ is not None and from_topic:
        raise InvalidRequest("contradicts --from-topic", field="--from", fix="give one of them")
    whose = tenant or settings.tenant
    data = from_files(from_, whose) if from_ else asyncio.run(from_topics(settings, whose))
    malformed = f", {data.malformed} messages could not be read" if data.malformed else ""
    _say(f"{len(data.signals)} signals, {len(data.seen)} lists seen{malformed}")
    return data


def _named(short: str) -> str:
    if short not in _SHORT and short not in names.MODELS:
        raise InvalidRequest(f"no model {short!r}", field="--only", fix=f"one of {', '.join(_SHORT)}")
    return _SHORT.get(short, short)


def _say(text: str) -> None:
    typer.echo(text)
