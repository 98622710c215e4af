"""Metarank's requests get Metarank's answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from rapport.ops.errors import InvalidRequest, NotFound
from services.gateway.domain.keys import Keys
from services.gateway.routes import metarank

KEY = {"Authorization": "Bearer private-key-1"}
ITEMS: list[dict[str, Any]] = [
    {"product_id": "b", "score": 0.9, "features": {"need": 0.8, "hour": 9.0}},
    {"product_id": "a", "score": 0.4, "features": {"need": 0.1, "hour": 9.0}},
]


class Recommender:
    """The part of `Peers` that is asked; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def rank(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        return {"recommendation": {"recommendation_id": "r-1", "items": ITEMS}, "unknown_product_ids": ["gone"]}

    async def recommend(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        return {"recommendation_id": "r-2", "items": ITEMS}

    async def similar(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["product_id"] == "gone":
            raise NotFound("'gone' is not in the catalogue", field="product_id")
        self.asked.append(request)
        return {"items": [item | {"score": item["score"] / len(self.asked)} for item in ITEMS]}

    async def trending(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        return {"items": ITEMS}


@pytest.fixture
def peers() -> Recommender:
    return Recommender()


@pytest.fixture
async def http(peers: Recommender) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    keys = Keys(frozenset(), frozenset({"private-key-1"}))
    app.include_router(metarank.router(peers, keys, tenant="shop"))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=KEY) as client:
        yield client


async def test_rank_as_metarank_documents_it(http: httpx.AsyncClient, peers: Recommender) -> None:
    body = {
        "id": "81f46c34-a4bb-469c-8708-f8127cd67d27",
        "timestamp": "1599391467000",
        "user": "user1",
        "session": "session1",
        "fields": [{"name": "query", "value": "jeans"}],
        "items": [{"id": "a", "fields": [{"name": "relevancy", "value": 2.0}]}, {"id": "b"}, {"id": "gone"}],
    }
    answer = (await http.post("/rank/personal", json=body)).json()
    assert isinstance(answer.pop("took"), int)
    assert answer == {
        "recommendation_id": "r-1",
        "items": [{"item": "b", "score": 0.9}, {"item": "a", "score": 0.4}, {"item": "gone", "score": 0.0}],
    }
    assert peers.asked == [
        {"tenant": "shop", "customer_id": "user1", "product_ids": ["a", "b", "gone"], "explain": False}
    ]


async def test_a_session_stands_for_a_visitor_without_a_name(http: httpx.AsyncClient, peers: Recommender) -> None:
    await http.post("/rank/personal", json={"session": "session1", "items": [{"id": "a", "label": 2.0}]})
    assert peers.asked[0]["customer_id"] == "session1"


async def test_a_body_is_json_whatever_its_content_type(http: httpx.AsyncClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await http.post("/rank/personal", content='{"items": [{"id": "a"}]}', headers=form)
    assert [item["item"] for item in answer.json()["items"]] == ["b", "a", "gone"]
    answer = await http.post("/recommend/trending", content='{"count": 1}', headers=form)
    assert len(answer.json()["items"]) == 1
    assert (await http.post("/rank/personal", content="items=a", headers=form)).status_code == 422


async def test_explain_gives_the_feature_values(http: httpx.AsyncClient, peers: Recommender) -> None:
    answer = (await http.post("/rank/personal?explain=true", json={"items": [{"id": "a"}]})).json()
    assert answer["items"][0]["features"] == [{"name": "hour", "value": 9.0}, {"name": "need", "value": 0.8}]
    assert peers.asked[0]["explain"] is True
    assert peers.asked[0]["customer_id"] == ""


async def test_recommend_leaves_out_the_context(http: httpx.AsyncClient, peers: Recommender) -> None:
    answer = (await http.post("/recommend/personal", json={"count": 1, "user": "u", "items": ["b"]})).json()
    assert [item["item"] for item in answer["items"]] == ["a"]
    assert peers.asked[0]["exclude_product_ids"] == ["b"]


@pytest.mark.parametrize("model", ["similar", "trending"])
async def test_other_models_answer_in_the_same_shape(http: httpx.AsyncClient, model: str) -> None:
    answer = (await http.post(f"/recommend/{model}", json={"count": 5, "items": ["x"]})).json()
    assert [item["item"] for item in answer["items"]] == ["b", "a"]


async def test_what_is_no_model_or_no_key_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.post("/rank/xgboost", json={"items": [{"id": "a"}]})).status_code == 422
    assert (await http.post("/rank/personal", json={"items": []})).status_code == 422


async def test_a_cart_s_likenesses_are_added_up(http: httpx.AsyncClient) -> None:
    answer = (await http.post("/recommend/similar", json={"items": ["gone", "x", "y"]})).json()
    assert answer["items"] == [{"item": "b", "score": 0.9 + 0.45}, {"item": "a", "score": 0.4 + 0.2}]
    answer = (await http.post("/recommend/similar", json={"items": ["b"]})).json()
    assert [item["item"] for item in answer["items"]] == ["a"]


@pytest.mark.parametrize(("items", "error"), [([], InvalidRequest), (["gone"], NotFound)])
async def test_like_nothing_is_refused(http: httpx.AsyncClient, items: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        await http.post("/recommend/similar", json={"items": items})
