"""data/shoppers.yaml and data/phrases/*.yaml → the simulated world."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel

from services.demo.adapters.catalog_files import load_catalog
from services.demo.adapters.files import DATA, FileModel, read
from services.demo.domain.world import Phrases, ShopperType, World

_Phrasing = dict[str, tuple[str, ...]]
_Hours = Annotated[tuple[float, ...], Field(min_length=24, max_length=24)]


class _Questions(RootModel[dict[str, _Phrasing]]):
    pass


class _Reviews(RootModel[dict[str, dict[str, _Phrasing]]]):
    pass


class _Chat(FileModel):
    order_status: _Phrasing
    recommend: _Phrasing
    person: _Phrasing
    unanswerable: _Phrasing
    thanks: _Phrasing
    gaps: _Phrasing
    coupons: tuple[str, ...]
    campaigns: tuple[str, ...]


class _Type(FileModel):
    share: float
    price: float
    hours: str
    kinds: dict[str, float]


class _Shoppers(FileModel):
    types: dict[str, _Type]
    hours: dict[str, _Hours]
    chinese: float
    devices: dict[str, float]


def load_world(data: Path = DATA) -> World:
    """Raises `ConfigurationError` on a malformed file."""
    chat = read(data / "phrases" / "chat.yaml", _Chat)
    shoppers = read(data / "shoppers.yaml", _Shoppers)
    return World(
        catalog=load_catalog(data),
        phrases=Phrases(
            questions=read(data / "phrases" / "questions.yaml", _Questions).root,
            chat=chat.model_dump(include={"order_status", "recommend", "person", "unanswerable", "thanks"}),
            gaps=chat.gaps,
            reviews=read(data / "phrases" / "reviews.yaml", _Reviews).root,
            coupons=chat.coupons,
            campaigns=chat.campaigns,
        ),
        types=tuple(
            ShopperType(name, kind.share, kind.price, kind.kinds, shoppers.hours[kind.hours])
            for name, kind in shoppers.types.items()
        ),
        chinese=shoppers.chinese,
        devices=shoppers.devices,
    )
