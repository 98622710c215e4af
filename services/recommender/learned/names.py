"""Names of the recommender's models in the registry: what is promoted and rolled back."""

from __future__ import annotations

ITEM_ITEM = "recommender-item-item"
FACTORS = "recommender-factors"
SEQUENCE = "recommender-sequence"
RANKER = "recommender-ranker"
MODELS = (ITEM_ITEM, FACTORS, SEQUENCE, RANKER)
