"""Which settings each process reads, where they are more than the common ones."""

from __future__ import annotations

from collections.abc import Mapping

from rapport.ops.settings import Settings
from services.gateway.settings import GatewaySettings
from services.profiler.settings import ProfilerSettings
from services.recommender.settings import RecommenderSettings

OWN_SETTINGS: Mapping[str, type[Settings]] = {
    "gateway": GatewaySettings,
    "profiler": ProfilerSettings,
    "recommender": RecommenderSettings,
}
