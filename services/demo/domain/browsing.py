"""The upper funnel: arrive, search or open a list, click, look, put into the cart."""

from __future__ import annotations

from rapport.events.behaviour import (
    PageViewed,
    ProductAdded,
    ProductClicked,
    ProductListViewed,
    ProductsSearched,
    ProductViewed,
    ProductWishlisted,
)
from services.demo.domain.choice import pick
from services.demo.domain.goods import CURRENCY, Kind, Product
from services.demo.domain.journal import Journal
from services.demo.domain.world import World

# Shares and means that make a common shop: of views nearly one in ten ends in the cart.
_HOME, _SEARCH, _GAP, _REFINED = 0.5, 0.55, 0.04, 0.25
_LOOK_ON, _CHANGE_KIND = 0.45, 0.3
_MOST_ROUNDS, _LIST_LENGTH = 4, 8
_TO_CART, _TO_WISH_LIST = 0.09, 0.05


def browse(world: World, journal: Journal) -> None:
    """One to four rounds, each about one kind of product."""
    dice = journal.dice
    if dice.random() < _HOME:
        journal.note(PageViewed, 2, name="Home", url="/")
    kind = world.catalog.kinds[journal.interest.pick(dice)]
    for _ in range(_MOST_ROUNDS):
        _round(world, journal, kind)
        if dice.random() > _LOOK_ON:
            break
        if dice.random() < _CHANGE_KIND:
            kind = world.catalog.kinds[journal.interest.pick(dice)]


def _round(world: World, journal: Journal, kind: Kind) -> None:
    dice, language = journal.dice, journal.shopper.language
    journal.kinds.append(kind.id)
    offered = list(world.catalog.by_kind[kind.id])
    if dice.random() < _SEARCH:
        if dice.random() < _GAP:
            journal.note(ProductsSearched, 10, query=dice.choice(world.phrases.gaps[language]), result_count=0)
        query = _query(journal, kind, offered)
        journal.note(ProductsSearched, 10, query=query, result_count=len(offered))
    dice.shuffle(offered)
    shown = offered[:_LIST_LENGTH]
    products = tuple(product.seen(language) for product in shown)
    journal.note(ProductListViewed, 3, list_id=kind.id, category=kind.name["en"], products=products)
    number = min(len(shown), 1 + int(dice.expovariate(0.7)))
    for product in pick(journal.shopper, shown, number, world.catalog, dice):
        _look(journal, product, shown.index(product) + 1)


def _query(journal: Journal, kind: Kind, offered: list[Product]) -> str:
    """The kind's own searches, or its name with a brand or colour."""
    dice, shopper = journal.dice, journal.shopper
    if dice.random() > _REFINED:
        return dice.choice(kind.searches[shopper.language])
    product, name = dice.choice(offered), kind.name[shopper.language].lower()
    if dice.random() < 0.5:
        return f"{product.brand} {name}"
    colour = product.attributes.get("colour_zh" if shopper.language == "zh" else "colour")
    return f"{colour}{'' if shopper.language == 'zh' else ' '}{name}" if colour else name


def _look(journal: Journal, product: Product, position: int) -> None:
    dice = journal.dice
    seen = product.seen(journal.shopper.language).model_dump(exclude={"quantity"}, exclude_none=True)
    journal.note(ProductClicked, 8, **seen, position=position)
    journal.note(ProductViewed, 1, **seen)
    journal.pause(20)
    if product.stock and dice.random() < _TO_CART * (1.5 - journal.shopper.price_sensitivity):
        journal.note(ProductAdded, 10, **seen, cart_id=f"cart-{journal.visit_id}")
        journal.cart.append(product)
    elif dice.random() < _TO_WISH_LIST:
        journal.note(ProductWishlisted, 5, product_id=product.id, price=product.price, currency=CURRENCY)
