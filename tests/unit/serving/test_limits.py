from __future__ import annotations

import pytest

from rapport.ops.errors import InvalidRequest
from rapport.serving.limits import TextLimits

LIMITS = TextLimits(texts=3, text_bytes=10)


@pytest.mark.parametrize("texts", [["a"], [""], ["\0"], ["0123456789", "x"], ["三三三"]])
def test_what_fits_passes(texts: list[str]) -> None:
    LIMITS.check(texts)


@pytest.mark.parametrize(
    ("texts", "field"),
    [([], "texts"), (["a"] * 4, "texts"), (["a", "0123456789x"], "texts[1]"), (["四四四四"], "texts[0]")],
)
def test_what_does_not_fit_is_named(texts: list[str], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        LIMITS.check(texts)
    assert caught.value.field == field
    assert caught.value.fix
