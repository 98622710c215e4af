"""Order numbers in a text. Ids are opaque: the customer's own are matched, what merely looks like one is unknown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Indel

from rapport.events.orders import OrderUpdated
from rapport.text.normalise import normalise

# Looks like an order number: five digits and more, or letters, a dash and three digits and more. Chinese letters may
# stand right beside it.
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.-])#?((?:[a-z]{1,8}[-_])+\d[a-z0-9_-]{2,}|[a-z]{0,3}\d{5,})(?![A-Za-z0-9_-]|\.\d)",
    re.IGNORECASE,
)
# Right behind the word "order", shorter ones are meant as numbers as well.
_AFTER_ORDER = re.compile(
    r"(?:order|订单号?)\s*(?:number|no\.?|id)?\s*[#:]?\s*((?=[a-z_-]*\d)[a-z0-9_-]{3,})(?![a-z0-9])", re.IGNORECASE
)
# A message that is nothing else is a number even when it is short.
_BARE = re.compile(r"^\W*((?=[a-z_-]*\d)[a-z0-9_-]{3,})\W*$", re.IGNORECASE)
# A day has digits and dashes too.
_DAY = re.compile(r"^20\d\d-\d{1,2}-\d{1,2}$")
# A customer may leave the prefix of "ORD-10423" out; fewer digits would match by chance.
_LEAST_DIGITS = 4
# A slip of the fingers is forgiven in a number of so many characters; in a shorter one it makes another order's.
_SLIP_FROM = 6
# Numbers answered in one message; more are a search, not a question.
_MOST = 3


@dataclass(frozen=True, slots=True)
class Mentions:
    """`own` orders that a text names, and `unknown` numbers that look like an order but are none of the customer's."""

    own: tuple[OrderUpdated, ...] = ()
    unknown: tuple[str, ...] = ()
    bare: bool = False
    """The text is nothing but a number."""

    def __bool__(self) -> bool:
        return bool(self.own or self.unknown)


def mentions(text: str, orders: Sequence[OrderUpdated]) -> Mentions:
    """The order numbers in `text`, to match against the customer's own `orders`."""
    plain = normalise(text)
    named = [order for order in orders if _names(plain, order.order_id)]
    known = {order.order_id.casefold() for order in named}
    bare = _BARE.match(plain)
    unknown: list[str] = []
    for number in [bare.group(1)] if bare else [*_NUMBER.findall(plain), *_AFTER_ORDER.findall(plain)]:
        if any(number.casefold() in id_ for id_ in known) or _DAY.match(number):
            continue
        meant = _meant(number, orders)
        if meant is not None:
            named.extend([meant] if meant not in named else [])
        elif number not in unknown:
            unknown.append(number)
    whole = bool(bare) or plain.casefold() in known
    return Mentions(tuple(named[:_MOST]), tuple(unknown[:_MOST]), whole)


def without_numbers(text: str) -> str:
    """`text` without what looks like an order number: it says whose case it is, not what is asked. A text that is
    nothing else stays."""
    left = " ".join(_NUMBER.sub(" ", text).split())
    return left if any(letter.isalpha() for letter in left) else text


def _meant(number: str, orders: Sequence[OrderUpdated]) -> OrderUpdated | None:
    """The one order that `number` stands for: without its prefix, without its dashes, or with a slip."""
    short = [order for order in orders if _tail(order.order_id) == number]
    if len(short) == 1 and len(number) >= _LEAST_DIGITS:
        return short[0]
    said = _letters(number)
    for alike in (_same, _slipped):
        found = [order for order in orders if alike(said, _letters(order.order_id))]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _same(said: str, known: str) -> bool:
    return said == known


def _slipped(said: str, known: str) -> bool:
    """Two neighbours changed places, or one character was left out. Another character makes another order's number."""
    if len(said) < _SLIP_FROM:
        return False
    distance = Indel.distance(said, known)
    return (sorted(said) == sorted(known) and distance == 2) or (len(said) < len(known) and distance == 1)


def _names(plain: str, order_id: str) -> bool:
    alone = rf"(?<![A-Za-z0-9_-]){re.escape(normalise(order_id))}(?![A-Za-z0-9_-])"
    return re.search(alone, plain, re.IGNORECASE) is not None


def _tail(order_id: str) -> str:
    found = re.search(r"(\d+)$", order_id)
    return found.group(1) if found else ""


def _letters(order_id: str) -> str:
    return re.sub(r"[\W_]", "", order_id).casefold()
