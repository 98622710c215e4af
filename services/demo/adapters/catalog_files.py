"""data/catalog/*.yaml → the catalogue. The compact form is explained in the README."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from pydantic import ConfigDict, Field

from rapport.ops.errors import ConfigurationError
from services.demo.adapters.files import DATA, FileModel, read, read_all
from services.demo.domain.goods import Catalog, Kind, Product

Value = str | int | float | bool
# Figures, ranges, units and letter sizes read the same in both languages.
_NEUTRAL = re.compile(r"[\d\s.,–×+%]+(l|ml|g|kg|cm|m|mAh)?|X*[SML]–X*L|XXS–M")


class _Model(FileModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    id: str
    brand: str
    name: tuple[str, str]
    price: Decimal = Field(gt=0)
    stock: int = Field(ge=0)
    en: str
    zh: str
    __pydantic_extra__: dict[str, Value]


class _KindName(FileModel):
    en: str
    zh: str
    one: str
    """How an English title ends."""


class _Texts(FileModel):
    en: str
    zh: str


class _Kind(FileModel):
    name: _KindName
    about: _Texts
    shared: dict[str, Value]
    search: dict[str, tuple[str, ...]]
    models: list[_Model] = Field(min_length=1)


class _Category(_Texts):
    id: str


class _CatalogFile(FileModel):
    category: _Category
    brands: dict[str, str]
    kinds: dict[str, _Kind]


class _Vocabulary(FileModel):
    names: dict[str, str]
    values: dict[str, str]


def load_catalog(data: Path = DATA) -> Catalog:
    """All products. Raises `ConfigurationError` on a malformed file, an unknown brand or an untranslated word."""
    vocabulary = read(data / "vocabulary.yaml", _Vocabulary)
    products = []
    for path, file in read_all(data / "catalog", _CatalogFile):
        for kind_id, kind in file.kinds.items():
            made = Kind(
                id=kind_id,
                name={"en": kind.name.en, "zh": kind.name.zh},
                category={"en": file.category.en, "zh": file.category.zh},
                searches=kind.search,
            )
            for model in kind.models:
                if model.brand not in file.brands:
                    raise ConfigurationError(f"{model.id}: brand {model.brand!r} is not listed", field=str(path))
                products.append(_product(file, made, kind, model, vocabulary))
    return Catalog(tuple(products))


def _product(file: _CatalogFile, made: Kind, kind: _Kind, model: _Model, vocabulary: _Vocabulary) -> Product:
    brand_zh = file.brands[model.brand]
    own = {**kind.shared, **model.__pydantic_extra__}
    attributes: dict[str, Value] = {
        "category_zh": made.category["zh"],
        "kind_zh": made.name["zh"],
        "brand_zh": brand_zh,
    }
    for name, value in own.items():
        attributes[name] = value
        if isinstance(value, str):
            attributes[f"{name}_zh"] = _translated(model.id, name, value, vocabulary)
    return Product(
        id=f"p-{model.id}",
        kind=made,
        brand=model.brand,
        title={
            "en": f"{model.brand} {model.name[0]} {kind.name.one}",
            "zh": f"{brand_zh} {model.name[1]} {kind.name.zh}",
        },
        description={
            "en": f"{model.en} {kind.about.en}",
            "zh": f"{model.zh}{kind.about.zh}{_facts_zh(attributes, vocabulary)}",
        },
        price=model.price.quantize(Decimal("0.01")),
        stock=model.stock,
        attributes=attributes,
    )


def _translated(product: str, name: str, value: str, vocabulary: _Vocabulary) -> str:
    if name not in vocabulary.names:
        raise ConfigurationError(f"{product}: attribute {name!r} has no Chinese name", field="vocabulary.yaml")
    if value in vocabulary.values:
        return vocabulary.values[value]
    if _NEUTRAL.fullmatch(value):
        return value
    raise ConfigurationError(f"{product}: {name} {value!r} has no Chinese word", field="vocabulary.yaml")


def _facts_zh(attributes: dict[str, Value], vocabulary: _Vocabulary) -> str:
    """The attributes as a Chinese sentence: their names are English in the event."""
    facts = [
        f"{vocabulary.names[name]}：{attributes[f'{name}_zh']}"
        for name in ("colour", "material", "season")
        if f"{name}_zh" in attributes
    ]
    return f"{'；'.join(facts)}。" if facts else ""
