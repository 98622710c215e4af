"""The catalogue as the gateway has it in memory: for titles, and to find products by their words."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from rapport.events.base import Id
from rapport.events.catalog import ProductUpserted
from services.gateway.domain.keys import Keys, Scope
from services.gateway.ports import Products
from services.gateway.routes.access import needs
from services.gateway.routes.serve import Limit


def router(products: Products, keys: Keys, *, tenant: str) -> APIRouter:
    """A private key is needed."""
    routes = APIRouter(tags=["catalogue"], dependencies=[Depends(needs(keys, Scope.PRIVATE))])

    @routes.get("/v1/products", response_model_exclude_none=True)
    async def find(q: str = "", limit: Limit = 20) -> list[ProductUpserted]:
        """Products on sale whose title, category or brand holds the words of `q`."""
        return products.find(tenant, q, limit)

    @routes.post("/v1/products/named", response_model_exclude_none=True)
    async def named(product_ids: Annotated[list[Id], Field(max_length=1000)]) -> dict[str, ProductUpserted]:
        """Those of the given products that are in the catalogue."""
        return products.named(tenant, product_ids)

    return routes
