"""What all shop texts have in common, to be taken away before two of them are compared.

An encoder trained for retrieval puts every text into a narrow cone: with multilingual E5 two product texts that have
nothing in common have a cosine of 0.84. The mean of some unrelated texts is the cone's axis; with it taken away, cosine
tells kinds of goods apart. Searches, being shorter, lie around another axis than product texts: they are moved from
theirs to that of the products, so that a search and the product it means come to lie together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]

# One line a kind of goods: a product text as `observation` writes it, and a search for the same. Unrelated on purpose,
# in both languages. Changing them moves every need boundary: keep them.
_REFERENCE = (
    ("Harbour canvas sneaker, Shoes, Ostra", "canvas sneakers"),
    ("Pleated midi dress, Dresses, Vela", "midi dress"),
    ("Quilted winter jacket, Coats, Norrland", "winter jacket men"),
    ("Crossbody bag, Bags, Pell", "crossbody bag"),
    ("Slim laptop 14 inch, Computers, Arco", "laptop 14 inch"),
    ("Clear phone case, Phone accessories, Tilt", "phone case"),
    ("Chef knife 20 cm, Kitchen, Brant", "chef knife"),
    ("Oak side table, Furniture, Holm", "oak table"),
    ("Cotton duvet cover, Bedding, Lys", "duvet cover"),
    ("Argan shampoo, Hair care, Selva", "shampoo for curly hair"),
    ("Dark chocolate 70 %, Sweets, Cacau", "dark chocolate"),
    ("Bicycle helmet, Cycling, Velo", "bike helmet"),
    ("Cork yoga mat, Fitness, Asana", "yoga mat"),
    ("Grain-free dog food, Pets, Bello", "dog food"),
    ("Garden hose 20 m, Garden, Aqua", "garden hose"),
    ("Cordless drill 18 V, Tools, Forge", "cordless drill"),
    ("The Long Harbour, a novel, Books, Quill", "novel"),
    ("Ceramic vase, Decoration, Terra", "vase"),
    ("Smart watch, Electronics, Pulse", "smart watch"),
    ("Baby bottle set, Baby, Nido", "baby bottle"),
    ("Acoustic guitar, Music, Corda", "guitar"),
    ("Vitamin D drops, Health, Vita", "vitamin d"),
    ("LED desk clock, Electronics, Tick", "clock"),
    ("Wool scarf, Accessories, Merin", "wool scarf"),
    ("连帽卫衣, 男装, 青木", "卫衣"),
    ("机械键盘, 电脑配件, 雷声", "机械键盘"),
    ("羊毛围巾, 配饰, 北野", "围巾"),
    ("电饭煲, 厨房电器, 米家园", "电饭煲"),
    ("猫粮 2 公斤, 宠物, 喵屋", "猫粮"),
    ("儿童绘本, 图书, 小树", "绘本"),
    ("洗发水, 个护, 山茶", "洗发水"),
    ("登山背包, 户外, 远行", "登山背包"),
)
REFERENCE_TEXTS = tuple(text for pair in _REFERENCE for text in pair)


@dataclass(frozen=True, slots=True)
class Background:
    """The two axes of one encoder: [d] each, mean of unit vectors."""

    products: Vector
    searches: Vector

    @classmethod
    def of(cls, vector: Callable[[str], Vector]) -> Self:
        """From the encoder's vectors of `REFERENCE_TEXTS`."""
        products, searches = zip(*_REFERENCE, strict=True)
        return cls(_mean([vector(text) for text in products]), _mean([vector(text) for text in searches]))

    def as_product(self, vector: Vector) -> Vector:
        """A search's vector, [d], moved to where the products it means lie."""
        moved = vector - self.searches + self.products
        return moved / np.float32(np.linalg.norm(moved))

    def cosines(self, vector: Vector, others: Vector) -> Vector:
        """Centred cosines of `vector` [d] to `others` [k, d]: [k]."""
        one, many = vector - self.products, others - self.products
        lengths = np.sqrt(np.einsum("kd,kd->k", many, many) * np.dot(one, one))
        cosines: Vector = many @ one / np.maximum(lengths, np.float32(1e-9))
        return cosines


def _mean(vectors: list[Vector]) -> Vector:
    mean: Vector = np.mean(vectors, axis=0, dtype=np.float32)
    return mean
