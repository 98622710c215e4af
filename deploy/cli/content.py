"""`./rapport content`: copy from the command line, one brief or thousands."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.output import out

app = typer.Typer(no_args_is_help=True, help="Copy: write it, approve it, see its experiments.")
Address = Annotated[str | None, typer.Option(help="host:port of the content service; default: the running stack's.")]
File = Annotated[Path, typer.Argument(help="A brief as JSON or YAML: the fields of content_requested.")]


@app.command()
def write(file: File, address: Address = None) -> None:
    """Write copy for one brief and show it with its trail."""
    from deploy.content.briefs import read_one
    from deploy.content.service import calling

    fields = {"request_id": f"cli-{uuid.uuid4().hex}", **read_one(file)}
    answer = asyncio.run(calling(address, "Create", {"brief": fields}))
    out.print(f"{answer['content_id']}  {answer['status']}  {answer.get('model', '')}", markup=False)
    for variant in answer["variants"]:
        told = f"fluency {variant['fluency']:.2f}, difference {variant['difference']:.2f}"
        out.print(f"\n{variant['variant_id']}  {variant['author']}  {variant['template_id']}  {told}", markup=False)
        out.print(variant["text"], markup=False, soft_wrap=True)
        for decision in variant["trail"]:
            if not decision["accepted"]:
                out.print(f"  refused: {decision['text']}", markup=False, soft_wrap=True, style="dim")
                for problem in decision["problems"]:
                    out.print(f"    {problem}", markup=False, soft_wrap=True, style="dim")


@app.command()
def bulk(
    file: Annotated[Path, typer.Argument(help="Briefs: JSON lines or CSV, one a line.")],
    per_minute: Annotated[float, typer.Option(min=0.1, help="Briefs a minute at most.")] = 600,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Briefs under way at once.")] = 4,
    model_briefs: Annotated[
        int | None, typer.Option(min=0, help="Briefs that the language model may write; templates write the rest.")
    ] = None,
    progress: Annotated[
        Path | None, typer.Option(help="What became of each brief; default: FILE.progress.jsonl here.")
    ] = None,
    address: Address = None,
) -> None:
    """Write copy for a file of briefs. Run it again to go on where it ended: what is done is not done twice."""
    from deploy.content.briefs import read_many

    _bulk(
        read_many(file),
        progress or Path.cwd() / f"{file.name}.progress.jsonl",
        per_minute,
        at_once,
        model_briefs,
        address,
    )


@app.command()
def audience(
    brief: File,
    segment: Annotated[str, typer.Option(help="Everybody in this segment.")] = "",
    query: Annotated[str, typer.Option(help="Everybody whose profile makes this CEL expression true.")] = "",
    per_minute: Annotated[float, typer.Option(min=0.1, help="Briefs a minute at most.")] = 600,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Briefs under way at once.")] = 4,
    model_briefs: Annotated[int | None, typer.Option(min=0, help="Briefs that the language model may write.")] = None,
    progress: Annotated[Path | None, typer.Option(help="Default: BRIEF.progress.jsonl here.")] = None,
    count_only: Annotated[bool, typer.Option("--count", help="Say how many they are, and write nothing.")] = False,
    address: Address = None,
) -> None:
    """Write one message a customer for a whole segment, or for everybody whom a query finds."""
    from deploy.content.briefs import for_each, read_one
    from deploy.content.service import members

    found = asyncio.run(members(address, segment, query))
    out.print(f"{len(found)} customers", markup=False)
    if count_only:
        return
    # The id says what the message is for, so that a second run goes on with the same ids.
    briefs = for_each(read_one(brief), found, f"{brief.stem}")
    where = progress or Path.cwd() / f"{brief.name}.progress.jsonl"
    _bulk(briefs, where, per_minute, at_once, model_briefs, address)


@app.command()
def drafts(
    status: Annotated[str, typer.Option(help="pending, approved or rejected.")] = "pending", address: Address = None
) -> None:
    """Copy that waits for a person."""
    from deploy.content.service import calling

    found = asyncio.run(calling(address, "ListDrafts", {"status": status}))["drafts"]
    for draft in found:
        out.print(f"{draft['content_id']}  {draft['kind']}  {draft['channel']}  {draft['language']}", markup=False)
        for variant in draft["variants"]:
            out.print(f"  {variant['variant_id']}: {variant['text']}", markup=False, soft_wrap=True)
    out.print(f"{len(found)} {status}", markup=False)


@app.command()
def approve(content_id: str, by: Annotated[str, typer.Option(help="Who decides.")], address: Address = None) -> None:
    """Publish a draft."""
    _review({"content_id": content_id, "decision": "approve", "by": by}, address)


@app.command()
def reject(
    content_id: str,
    by: Annotated[str, typer.Option(help="Who decides.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    address: Address = None,
) -> None:
    """Refuse a draft, with the reason."""
    _review({"content_id": content_id, "decision": "reject", "by": by, "reason": reason}, address)


@app.command()
def experiments(
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for machines.")] = False, address: Address = None
) -> None:
    """Experiments, their arms, and what the stopping rule says."""
    from deploy.content.service import calling

    found = asyncio.run(calling(address, "ListExperiments", {}))["experiments"]
    if as_json:
        out.print_json(json.dumps(found))
        return
    for each in found:
        out.print(f"{each['experiment_id']}  {each['mode']}  {each['status']}  {each['winner']}", markup=False)
        out.print(f"  {each['verdict']}", markup=False, soft_wrap=True)
        for arm in each["arms"]:
            told = f"{arm['successes']}/{arm['customers']}, {arm['rate']:.2%} ({arm['low']:.2%} to {arm['high']:.2%})"
            shares = f"best {arm['chance_best']:.1%}, share {arm['weight']:.1%}"
            out.print(f"  {arm['variation_id']}  {told}  {shares}", markup=False)


@app.command()
def preview(language: str = "", template_id: str = "", address: Address = None) -> None:
    """Templates filled with made-up facts."""
    from deploy.content.service import calling

    found = asyncio.run(calling(address, "Preview", {"language": language, "template_id": template_id}))
    for template in found["templates"]:
        kind = "frame for the model" if template["frame"] else "template"
        out.print(f"{template['language']}/{template['template_id']}@{template['version']}  {kind}", markup=False)
        for text in template["texts"]:
            out.print(f"  {text}", markup=False, soft_wrap=True)


def _review(request: dict[str, Any], address: str | None) -> None:
    from deploy.content.service import calling

    draft = asyncio.run(calling(address, "Review", request))["draft"]
    out.print(f"{draft['content_id']}  {draft['status']} by {draft['by']}", markup=False)


def _bulk(
    briefs: list[dict[str, Any]],
    progress: Path,
    per_minute: float,
    at_once: int,
    model_briefs: int | None,
    address: str | None,
) -> None:
    from deploy.content.bulk import Bulk, Progress
    from deploy.content.service import connected
    from deploy.content.shown import bar
    from rapport.ops.errors import RetryableError, UnavailableError

    async def work() -> Progress:
        kept = Progress.read(progress)
        async with connected(address) as call:
            with bar(len(briefs), kept) as shown:
                return await Bulk(call, kept, per_minute, at_once, model_briefs).run(briefs, shown)

    try:
        done = asyncio.run(work())
    except* RetryableError as group:
        (first, *_) = group.exceptions
        raise UnavailableError(str(first), fix="run it again later: what is done is kept") from first
    out.print(done.summary(), markup=False, soft_wrap=True)
    if done.refused:
        out.print(f"what was refused, and why: {progress}", markup=False, soft_wrap=True)
        raise typer.Exit(1)
