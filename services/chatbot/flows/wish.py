"""The slot `wishes`: which variant is wanted instead of an item."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rapport.events.catalog import ProductUpserted
from services.chatbot.domain.dialogue import Slots, Wish
from services.chatbot.domain.entities.products import named, words_of
from services.chatbot.domain.understanding import plain_form
from services.chatbot.flows.around import Around, lines_of

# "for the blue one", 换成蓝色的, "size 42", "a bigger one": a wish where the shop lists no variants.
_FREE = re.compile(
    r"\b(?:for|to|into|instead|rather|want|need|like) (?:a |an |the |one in |another )?"
    r"(?P<en>(?:size|colou?r|bigger|smaller|larger|[a-z]+ (?:one|pair|colou?r|size)|(?:eu |uk |us )?\d{2}\b).{0,60})|"
    r"\b(?P<size>size \w{1,4})\b|换(?:成|个|一个|一双|一件|为)?(?P<zh>.{1,30})"
)
# "exchange the lamp for a black one": what comes after "for" is wished for, and names no other item of the order.
_VERB = re.compile(r"\b(?:exchang\w*|swap\w*|chang\w*|modify\w*)\b")
_FOR = re.compile(r"\b(?:for|to|into|with)\b.*?(?=\bfrom\b|\band (?:the|my)\b|[,;.]|$)")
_LEADS_UP = re.compile(r"(?:\b(?:for|into|instead)\b|换成|换为)")
_PARTS = re.compile(r"[,;.，；。]|\band\b|和|以及|还有")
_CHEAPEST = re.compile(r"\b(cheapest|least expensive|lowest price)\b|最便宜")
_DEAREST = re.compile(r"\b(most expensive|priciest|highest price)\b|最贵")
# Another piece of what there is, for one that is broken.
_SAME = re.compile(
    r"\b(?:the (?:very |exact )?same(?: (?:one|thing|item|product|model))?|identical|replacement)\b"
    r"(?! (?:size|colou?r|in\b))|一样的|同款|同样的"
)
# Longest wish in words, in characters: it stands in a sentence and in a command.
_LONGEST = 120
# Variants offered at once.
_OFFERED = 6


def wishes_in(text: str, slots: Slots, around: Around, asked: str | None) -> dict[str, Wish]:
    """Wishes that the text tells, by product id. `asked`: the item just asked about; the text is about that one."""
    order = around.order(slots.order)
    if order is None or slots.items is None:
        return {}
    found: dict[str, Wish] = {}
    lines = lines_of(order, slots.items)
    parts = _by_item(text, {line.product_id: words_of(around.line_name(line)) for line in lines})
    for line in lines:
        about = text if asked == line.product_id or len(lines) == 1 else parts.get(line.product_id, "")
        wish = _wish(about, line.product_id, around, free=asked == line.product_id)
        if wish is not None:
            found[line.product_id] = wish
    return found


def parted(text: str) -> tuple[str, str]:
    """The text up to what is wished for, and that; "" where nothing leads up to it."""
    plain = plain_form(text)
    found = _LEADS_UP.search(plain)
    return (plain[: found.start()], plain[found.end() :]) if found else (plain, "")


def without_wishes(text: str) -> str:
    """The text up to what is wished for instead of each item."""
    plain = plain_form(text)
    verb = _VERB.search(plain)
    rest = plain[verb.end() :] if verb else plain
    return _FOR.sub(" ", rest)


def offered(product_id: str, around: Around) -> list[ProductUpserted]:
    """What the item can be exchanged for: the other variants in stock."""
    product = around.products.get(product_id)
    if product is None or product.group_id is None:
        return []
    return [one for one in around.variants(product.group_id) if one.available and one.product_id != product_id]


def choices(product_id: str, around: Around) -> tuple[str, ...]:
    """Variants in a few words, those nearest to the item first."""
    now = _values(around.products[product_id]) if product_id in around.products else {}
    near = sorted(offered(product_id, around), key=lambda one: (-_same(one, now), one.product_id))
    return tuple(", ".join(_values(one).values()) for one in near[:_OFFERED])


def _wish(text: str, product_id: str, around: Around, *, free: bool) -> Wish | None:
    candidates, own = offered(product_id, around), around.products.get(product_id)
    chosen = _variant(text, _values(own), candidates) if candidates and own else None
    if chosen is not None:
        return Wish(product_id=chosen.product_id)
    if own is not None and own.available and (_SAME.search(plain_form(text)) or (free and _told_whole(text, own))):
        return Wish(product_id=product_id)
    if candidates:
        return None
    if product_id in around.products and around.products[product_id].group_id is not None:
        return None
    plain = plain_form(text)
    said = _FREE.search(plain)
    words = next((one for one in said.groupdict().values() if one), "") if said else plain if free else ""
    return Wish(words=words.strip(" .!。！")[:_LONGEST]) if words.strip(" .!。！") else None


def _variant(text: str, now: Mapping[str, str], candidates: Sequence[ProductUpserted]) -> ProductUpserted | None:
    """The variant with all that the text asks for, and else the least different; None when several are as near."""
    wanted = _wanted(text, now, candidates)
    fitting = [one for one in candidates if all(_values(one).get(name) == value for name, value in wanted.items())]
    plain = plain_form(text)
    if fitting and (_CHEAPEST.search(plain) or _DEAREST.search(plain)):
        priced = sorted(fitting, key=lambda one: (one.price or 0, one.product_id))
        return priced[0] if _CHEAPEST.search(plain) else priced[-1]
    if not wanted:
        return None
    ranked = sorted(fitting, key=lambda one: (-_same(one, now), one.product_id))
    if len(ranked) > 1 and _same(ranked[0], now) == _same(ranked[1], now):
        return None
    return ranked[0] if ranked else None


def _told_whole(text: str, product: ProductUpserted) -> bool:
    """Whether the text names the product by all that tells it from its variants."""
    values = _values(product).values()
    return bool(values) and all(_value_pattern(value).search(plain_form(text)) for value in values)


def _wanted(text: str, now: Mapping[str, str], candidates: Sequence[ProductUpserted]) -> dict[str, str]:
    """Attribute values of some variant that stand in the text; the item's own value only when no other does."""
    left, wanted = plain_form(text), dict[str, str]()
    pairs = {(name, value) for one in candidates for name, value in _values(one).items()} | set(now.items())
    for name, value in sorted(pairs, key=lambda pair: (-len(pair[1]), pair)):
        pattern = _value_pattern(value)
        if pattern.search(left):
            if name not in wanted or wanted[name] == now.get(name):
                wanted[name] = value
            left = pattern.sub(" | ", left)
    return wanted


def _value_pattern(value: str) -> re.Pattern[str]:
    """Spaces and hyphens do not count: 13-inch, 13 inch."""
    tokens = re.findall(r"[a-z0-9.+%]+|[^\x00-\x7f]+", value.casefold())
    return re.compile(r"(?<![a-z0-9.])" + r"[\s-]*".join(map(re.escape, tokens)) + r"(?![a-z0-9])")


def _by_item(text: str, things: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """The parts of the text about each item: from where it is named up to where another is."""
    parts: dict[str, list[str]] = {}
    about = next(iter(things), "")
    for part in _PARTS.split(text):
        found = named(part, things)
        about = found[0] if len(found) == 1 else about
        parts.setdefault(about, []).append(part)
    return {key: ", ".join(told) for key, told in parts.items()}


def _values(product: ProductUpserted) -> dict[str, str]:
    return {name: str(value).casefold() for name, value in product.attributes.items()}


def _same(product: ProductUpserted, now: Mapping[str, str]) -> int:
    values = _values(product)
    return sum(values.get(name) == value for name, value in now.items())
