"""Different things never share a key."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.ops.errors import InvalidRequest
from rapport.vectors import keys
from rapport.vectors.keys import Space

SPACE = Space("intfloat/multilingual-e5-small", "q4-1")


def test_the_scheme_is_the_documented_one() -> None:
    assert keys.document("default", "profile", "c1") == "default:profile:c1"
    assert keys.embedding("default", "item", SPACE, "p1") == "default:emb:item:intfloat/multilingual-e5-small@q4-1:p1"
    assert keys.alias("default", "item") == "default:emb-alias:item"


_names = st.text(alphabet="ab:@%{}*-", min_size=1, max_size=6)
_kinds = st.sampled_from(["item", "profile", "a", "em"])
_places = st.tuples(st.sampled_from(["document", "embedding", "alias", "spaces", "index"]), _names, _kinds, _names)


def _key(what: str, tenant: str, kind: str, id_: str) -> str:
    names: dict[str, Callable[[], str]] = {
        "document": lambda: keys.document(tenant, kind, id_),
        "embedding": lambda: keys.embedding(tenant, kind, SPACE, id_),
        "alias": lambda: keys.alias(tenant, kind),
        "spaces": lambda: keys.spaces(tenant, kind),
        "index": lambda: keys.index(tenant, kind, SPACE),
    }
    return names[what]()


@given(_places, _places)
def test_two_things_have_two_keys(one: tuple[str, str, str, str], other: tuple[str, str, str, str]) -> None:
    has_id = {"document", "embedding"}
    same = one[:3] == other[:3] and (one[0] not in has_id or one[3] == other[3])
    assert (_key(*one) == _key(*other)) == same


@given(_names, _names)
def test_an_id_is_read_back_from_its_key(tenant: str, id_: str) -> None:
    key = keys.embedding(tenant, "item", SPACE, id_)
    assert key.removeprefix(keys.embedding_prefix(tenant, "item", SPACE)) == id_


@pytest.mark.parametrize("kind", ["", "emb", "emb-alias", "a:b", "Item", "x" * 65])
def test_kinds_that_would_collide_are_refused(kind: str) -> None:
    with pytest.raises(InvalidRequest, match="kind"):
        keys.document("default", kind, "1")


@pytest.mark.parametrize("id_", ["", "x" * 257, "鞋" * 86])
def test_an_id_has_1_to_256_bytes(id_: str) -> None:
    with pytest.raises(InvalidRequest, match="id: empty or longer"):
        keys.document("default", "item", id_)


def test_a_space_reads_back_from_its_name() -> None:
    assert Space.parse(str(SPACE)) == Space.parse(str(SPACE).encode()) == SPACE
    for name in ("no-revision", "a:b@1", "a@", "@1", "a@b@c"):
        with pytest.raises(InvalidRequest):
            Space.parse(name)
