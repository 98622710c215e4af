"""Which broker a command talks to."""

from __future__ import annotations

import os

from deploy.local.home import Home
from deploy.local.settings import LocalSettings
from deploy.local.stack import running
from rapport.ops.settings import KafkaSettings, Settings


def kafka_settings(broker: str | None) -> KafkaSettings:
    """The one named by the option, else by the environment, else that of the running stack, else the default."""
    settings = Settings.load().kafka
    if broker is None and "RAPPORT_KAFKA__BOOTSTRAP_SERVERS" not in os.environ:
        record = running(Home(LocalSettings.load().home.expanduser().resolve()))
        broker = record.bootstrap_servers if record else None
    return settings.model_copy(update={"bootstrap_servers": broker}) if broker else settings


def towards_the_stack() -> None:
    """Commands read the settings: here they learn of the running stack's broker, unless one is set."""
    os.environ.setdefault("RAPPORT_KAFKA__BOOTSTRAP_SERVERS", kafka_settings(None).bootstrap_servers)
