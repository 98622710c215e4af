"""The recommender's use cases: one function an event or call, ports as arguments."""

from services.recommender.handlers.answers import Ask, Told, rank, recommend, similar, trending
from services.recommender.handlers.behaviour import behaviours_seen
from services.recommender.handlers.catalogue import catalogue_changed, check_encoder, index_products
from services.recommender.handlers.pushing import profiles_updated
from services.recommender.handlers.situations import Answers

__all__ = [
    "Answers",
    "Ask",
    "Told",
    "behaviours_seen",
    "catalogue_changed",
    "check_encoder",
    "index_products",
    "profiles_updated",
    "rank",
    "recommend",
    "similar",
    "trending",
]
