"""Names of the recommender's models in the registry: what is promoted and rolled back."""

from __future__ import annotations

ITEM_ITEM = "recommender-item-item"
FACTORS = "recommender-factors"
SEQUENCE = "recommender-sequence"
RANKER = "recommender-ranker"
TRIAL = "recommender-trial"
"""What is tried beside the promoted ranker, registered and promoted like a model."""
MODELS = (ITEM_ITEM, FACTORS, SEQUENCE, RANKER)
_PLAIN = "default"


def of_tenant(model: str, tenant: str) -> str:
    """The name under which a tenant's versions are registered and promoted, so that no tenant's replace another's. The
    default tenant's is the model's own."""
    return model if tenant == _PLAIN else f"{model}.{tenant}"


def tenant_of(suffix: str) -> str:
    """Whose a model is, by what follows the model's name and a dot."""
    return suffix or _PLAIN
