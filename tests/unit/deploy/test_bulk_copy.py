"""Many briefs: read, written at a bounded rate, and gone on with after a break."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.content.briefs import for_each, read_many, read_one
from deploy.content.bulk import Bulk, Progress
from rapport.ops.errors import InvalidRequest, UnavailableError


class Service:
    """Answers `Create`; refuses "bad", and is away after `good` briefs."""

    def __init__(self, good: int = 1000) -> None:
        self.good, self.asked = good, list[dict[str, Any]]()

    async def __call__(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        brief = request["brief"]
        if len(self.asked) >= self.good:
            raise UnavailableError("away")
        self.asked.append(brief)
        if brief["request_id"] == "bad":
            raise InvalidRequest("no such product", field="product_ids")
        return {
            "content_id": f"{brief['request_id']}:content",
            "status": "published",
            "variants": [{"author": "model", "text": "x"}],
        }


def briefs(*ids: str) -> list[dict[str, Any]]:
    return [{"request_id": each, "kind": "campaign"} for each in ids]


def bulk(service: Service, path: Path, model_briefs: int | None = None) -> Bulk:
    return Bulk(service, Progress.read(path), 60_000, 2, model_briefs)


async def test_a_second_run_does_only_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.content.bulk._PAUSES_S", (0.0,))
    path = tmp_path / "progress.jsonl"
    first = Service(good=2)
    with pytest.raises(ExceptionGroup):
        await bulk(first, path).run(briefs("a", "bad", "c", "d"), lambda _: None)
    assert Progress.read(path).done == {"a": "published", "bad": "refused"}
    second = Service()
    done = await bulk(second, path).run(briefs("a", "bad", "c", "d"), lambda _: None)
    assert sorted(brief["request_id"] for brief in second.asked) == ["bad", "c", "d"]  # may be corrected by now
    assert (done.refused, done.summary()) == (1, "4 briefs: 3 published, 1 refused; variants: 3 by model")
    assert "no such product" in path.read_text(encoding="utf-8")


async def test_a_half_written_line_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    path.write_text(
        json.dumps({"request_id": "a", "outcome": "published"}) + '\n{"request_id": "b", "ou', encoding="utf-8"
    )
    kept = Progress.read(path)
    assert kept.done == {"a": "published"}
    kept.note("c", "published")
    assert Progress.read(path).done == {"a": "published", "c": "published"}


async def test_beyond_the_models_budget_templates_write(tmp_path: Path) -> None:
    service = Service()
    await bulk(service, tmp_path / "p.jsonl", model_briefs=1).run(briefs("a", "b"), lambda _: None)
    assert [brief.get("writer") for brief in service.asked] == [None, "template"]


def test_briefs_are_read_from_lines_csv_and_yaml(tmp_path: Path) -> None:
    lines, table, one = tmp_path / "x.jsonl", tmp_path / "x.csv", tmp_path / "x.yaml"
    lines.write_text('{"kind": "campaign"}\n\n{"request_id": "q", "kind": "win_back"}\n', encoding="utf-8")
    assert [brief["request_id"] for brief in read_many(lines)] == ["x-1", "q"]
    table.write_text("kind,product_ids,tone\ncampaign,p-1|p-2,\n", encoding="utf-8")
    assert read_many(table) == [{"request_id": "x-2", "kind": "campaign", "product_ids": ["p-1", "p-2"]}]
    one.write_text("kind: campaign\nends_at: 2027-03-12\ndiscount_percent: 20\n", encoding="utf-8")
    assert read_one(one) == {"kind": "campaign", "ends_at": "2027-03-12T00:00:00Z", "discount_percent": "20"}


@pytest.mark.parametrize("text", ["", "[1]\n", "{not json}\n", '{"request_id": "a"}\n{"request_id": "a"}\n'])
def test_a_wrong_file_is_refused_before_anything_is_written(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidRequest, match=r"x\.jsonl"):
        read_many(path)


def test_an_audience_becomes_one_brief_a_customer() -> None:
    made = for_each({"kind": "win_back", "segment": "runners"}, ["c-1", "c-2"], "spring")
    assert made == [
        {"kind": "win_back", "customer_id": "c-1", "request_id": "spring-c-1"},
        {"kind": "win_back", "customer_id": "c-2", "request_id": "spring-c-2"},
    ]
