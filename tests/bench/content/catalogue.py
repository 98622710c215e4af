"""Products for the brief bench: the demo shop's, and those of the data sets, read where they lie."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from rapport.events.catalog import ProductUpserted
from services.demo.adapters.catalog_files import load_catalog


def demo() -> list[ProductUpserted]:
    return [product.upserted() for product in load_catalog().products]


def beauty(data: Path, count: int, seed: int) -> list[ProductUpserted]:
    """Real, long English titles without prices."""
    path = data / "amazon-beauty-titles" / "asin_title_joined.tsv"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    named = [row for row in rows if len(row) == 3 and row[2].strip()]
    picked = random.Random(seed).sample(named, count)
    return [ProductUpserted(product_id=f"beauty-{row[0]}", title={"en": row[2]}) for row in picked]


def retail(data: Path, count: int, seed: int) -> list[ProductUpserted]:
    """Real English item texts in capitals, with prices in pounds."""
    found: dict[str, tuple[str, str]] = {}
    with gzip.open(data / "uci-online-retail" / "online_retail_by_day_concat.csv.gz", "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            text, price = row["Description"].strip(), row["UnitPrice"]
            if len(text) > 8 and Decimal(price) > 1 and row["StockCode"][:5].isdigit():
                found.setdefault(row["StockCode"], (text, price))
    picked = random.Random(seed).sample(sorted(found.items()), count)
    return [
        ProductUpserted(
            product_id=f"retail-{code}",
            title={"en": text},
            price=Decimal(price).quantize(Decimal("0.01")),
            currency="GBP",
        )
        for code, (text, price) in picked
    ]


def garments(data: Path, count: int, seed: int) -> list[ProductUpserted]:
    """Chinese garments from attribute lists; the price is made up, as the set has none."""
    lines = (data / "zh-advertisegen-dev" / "dev.json").read_text(encoding="utf-8").splitlines()
    picked = random.Random(seed).sample(range(len(lines)), count)
    return [garment(f"garment-{at}", json.loads(lines[at])["content"], at) for at in picked]


def garment(product_id: str, content: str, number: int) -> ProductUpserted:
    """类型#裙*材质#棉 as a product: the attributes are what the catalogue knows."""
    pairs = [tuple(part.split("#", 1)) for part in content.split("*")]
    kind = next((value for key, value in pairs if key == "类型"), "单品")
    attributes: dict[str, str | int | float | bool] = {}
    for key, value in pairs:
        if key != "类型":
            attributes[key] = f"{attributes[key]}、{value}" if key in attributes else value
    told = "，".join(f"{key}：{value}" for key, value in attributes.items())
    return ProductUpserted(
        product_id=product_id,
        title={"zh": f"云裳{kind}{number}号"},
        description={"zh": f"{told}。"},
        price=Decimal(99 + number % 400),
        currency="CNY",
        attributes=attributes,
    )


def all_products(data: Path, seed: int) -> Sequence[ProductUpserted]:
    found = demo()
    if (data / "amazon-beauty-titles").is_dir():
        found += beauty(data, 60, seed)
    else:
        print(f"absent, left out: {data}/amazon-beauty-titles")
    if (data / "uci-online-retail").is_dir():
        found += retail(data, 60, seed)
    else:
        print(f"absent, left out: {data}/uci-online-retail")
    if (data / "zh-advertisegen-dev").is_dir():
        found += garments(data, 100, seed)
    else:
        print(f"absent, left out: {data}/zh-advertisegen-dev")
    return found
