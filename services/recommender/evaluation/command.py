"""`./rapport evaluate recommender`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rapport.ops.errors import InvalidRequest
from rapport.ops.settings import Settings
from services.recommender.training.command import From, FromTopic, Tenant, read

if TYPE_CHECKING:
    from services.recommender.evaluation.logged import Judged
    from services.recommender.evaluation.report import Line
    from services.recommender.training.reading import Data

_SPLITS = ("temporal", "leave-one-out")


def evaluate(
    from_topic: FromTopic = False,
    from_: From = None,
    split: Annotated[list[str] | None, typer.Option(help=f"{' or '.join(_SPLITS)}; default: both.")] = None,
    sequence: Annotated[bool, typer.Option(help="The sequence model too; it takes longest.")] = True,
    epochs: Annotated[int, typer.Option(min=1, help="Of the sequence model, at most.")] = 60,
    segments: Annotated[bool, typer.Option(help="Figures of parts of the cases, too.")] = True,
    out: Annotated[Path | None, typer.Option(help="Everything as JSON.")] = None,
    tenant: Tenant = None,
) -> None:
    """Every source on held-out behaviour, ranking the whole catalogue; registered rankers on the lists seen since."""
    from services.recommender.evaluation.report import table

    if unknown := set(split or ()) - set(_SPLITS):
        raise InvalidRequest(f"no split {min(unknown)!r}", field="--split", fix=f"one of {', '.join(_SPLITS)}")
    settings = Settings.load()
    data = read(settings, from_, tenant, from_topic=from_topic)
    report: dict[str, Any] = {"splits": []}
    for wanted in split or _SPLITS:
        protocol, lines = _compared(data, wanted, epochs if sequence else 0)
        typer.echo(f"\n{protocol}; full ranking, 95 % intervals (bootstrap over cases)\n{table(lines)}")
        if segments:
            typer.echo(_parts(lines))
        report["splits"].append({"protocol": protocol, "models": [line.plain() for line in lines]})
    report["rankers"] = _rankers(data, settings)
    if out is not None:
        out.write_text(json.dumps(report, indent=1), encoding="utf-8")
        typer.echo(f"{out}")


def _compared(data: Data, wanted: str, epochs: int) -> tuple[str, Sequence[Line]]:
    from services.recommender.training.run import of_users, split_of
    from services.recommender.training.sequence import fit_sequence, plan_for
    from services.recommender.training.signals import histories_of
    from services.recommender.training.sources import compared

    whole = histories_of(data.signals, data.aliases).distinct()
    split = split_of(whole, wanted)
    if not split.test:
        raise InvalidRequest("no customer came back after the split", field="--split", fix="leave-one-out")
    more = [lambda: fit_sequence(split, plan_for(split.train, epochs), typer.echo)[0]] if epochs else []
    return f"{split.protocol}; {len(split.test)} cases", compared(split, of_users(data, whole), more, typer.echo).lines


def _parts(lines: Sequence[Line]) -> str:
    sizes = lines[0].sizes
    width = max(map(len, ("NDCG@10 by part", *sizes)))
    rows = [f"{'NDCG@10 by part':{width}}  cases" + "".join(f"  {line.name:>11}" for line in lines)]
    for part, size in sizes.items():
        figures = (line.segments[part]["NDCG@10"].value for line in lines)
        rows.append(f"{part:{width}}  {size:5}" + "".join(f"  {figure:11.4f}" for figure in figures))
    return "\n".join(rows)


def _rankers(data: Data, settings: Settings) -> list[dict[str, Any]]:
    """Each registered ranker on the lists that were seen after it was made, which it cannot have learned from; and each
    that was scored in the shadow, by the scores of that moment."""
    from rapport.models.registry import Registry
    from services.recommender.domain.features import VERSION
    from services.recommender.evaluation.logged import judged_on_lists, shadows_on_lists
    from services.recommender.learned.names import RANKER, of_tenant
    from services.recommender.learned.ranker import load

    registry, report = Registry(settings.models.cache), []

    def tell(name: str, judged: Judged, which: str) -> None:
        figure, ahead, lists = judged
        typer.echo(
            f"{name}: {figure.value:.4f} [{figure.low:.4f}, {figure.high:.4f}] on {lists} clicked lists {which}, "
            f"ahead of as shown by {ahead.value:+.4f} [{ahead.low:+.4f}, {ahead.high:+.4f}]"
        )
        report.append({"ranker": name, "lists": lists, "figure": figure.value, "ahead": ahead.value})

    for version in registry.versions(of_tenant(RANKER, data.tenant)):
        made_ms = version.manifest.created_at.timestamp() * 1000
        later = [one for one in data.seen if one.shown_ms > made_ms and one.feature_version == VERSION]
        for name, judged in judged_on_lists(later, {str(version): load(version, data.tenant).score}).items():
            tell(name, judged, f"seen after {version.version}")
    for name, judged in shadows_on_lists(data.seen).items():
        tell(f"shadow {name}", judged, "that it was scored with")
    return report
