"""Which settings each process reads, checked before anything is started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rapport.ops.settings import Settings
from services.chatbot.settings import ChatbotSettings
from services.content.settings import ContentSettings
from services.demo.settings import DemoSettings
from services.gateway.settings import GatewaySettings
from services.profiler.settings import ProfilerSettings
from services.recommender.settings import RecommenderSettings

# Those that are not here (the workers) read the common settings alone.
OWN_SETTINGS: Mapping[str, type[Settings]] = {
    "profiler": ProfilerSettings,
    "recommender": RecommenderSettings,
    "chatbot": ChatbotSettings,
    "content": ContentSettings,
    "gateway": GatewaySettings,
    "demo": DemoSettings,
}


def check(names: Iterable[str]) -> None:
    """Raises `ConfigurationError` for what a process of these would refuse: it would die again and again instead."""
    for name in names:
        OWN_SETTINGS.get(name, Settings).load()
