"""The shop that most tests begin with."""

from __future__ import annotations

import pytest

from tests.unit.recommender.goods import GOODS
from tests.unit.recommender.shop import Shop


@pytest.fixture
async def shop() -> Shop:
    """Fifteen products in three categories, indexed; nobody has been there yet."""
    opened = Shop()
    await opened.stock(*GOODS.values())
    return opened
