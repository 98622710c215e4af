"""Products (topic catalog.v1, compacted): the newest message of a product is the product; a null value delists it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from rapport.events.base import Amount, Currency, Event, Id

Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""BCP 47, e.g. en or zh-CN."""


def in_language(texts: dict[str, str], language: str | None) -> str:
    """The text in `language`, else in its base language, else in English, else whichever comes first; "" for none."""
    for wanted in (language, (language or "").split("-")[0], "en"):
        if wanted and wanted in texts:
            return texts[wanted]
    return next(iter(texts.values()), "")


class ProductUpserted(Event):
    """A product as it is now, whole."""

    event_name: ClassVar[str] = "product_upserted"
    product_id: Id
    title: Annotated[dict[Language, str], Field(min_length=1)]
    """By language."""
    description: dict[Language, str] = {}
    category: tuple[str, ...] = ()
    """Path from the root, e.g. ("Sports", "Running shoes")."""
    brand: str | None = None
    group_id: Id | None = None
    """Shared by the variants (size, colour) of one product."""
    price: Amount | None = None
    currency: Currency | None = None
    stock: Annotated[int, Field(ge=0)] | None = None
    """Pieces; left out: not counted, always available."""
    attributes: dict[str, str | int | float | bool] = {}
    complements: tuple[Id, ...] = ()
    """Products that go with it: the charger of a phone."""
    substitutes: tuple[Id, ...] = ()
    """Products that can take its place."""
    hidden: bool = False
    """Kept, but never shown."""
    image_url: str | None = None

    @property
    def available(self) -> bool:
        return not self.hidden and self.stock != 0
