"""A Faust application as a library: set up for our loop, our topics and our commits."""

from __future__ import annotations

import tempfile
from typing import Any

import faust
from faust.auth import SASLCredentials, SSLCredentials

from rapport.bus.client import connection, group_id
from rapport.ops.settings import KafkaSettings

# Records that wait in Faust's own queue; small, since each partition has a queue of ours behind it.
_BUFFERED = 1024


def new_app(group: str, settings: KafkaSettings) -> faust.App:
    """An application that joins `group` and reads. It has no tables, creates no topic and commits no offset."""
    # Faust makes this folder though the memory store keeps nothing in it.
    folder = tempfile.mkdtemp(prefix="rapport-faust-")
    return faust.App(
        group_id(settings, group),
        broker=[f"kafka://{address}" for address in settings.bootstrap_servers.split(",")],
        broker_credentials=_credentials(settings),
        # Faust reads settings from the environment, under this prefix; ours lets no such name pass.
        env_prefix="RAPPORT_FAUST_",
        autodiscover=False,
        web_enabled=False,
        datadir=folder,
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication_factor,
        # Its exactly_once lost or doubled updates after a kill in 5 of 5 trials; what is exact here is ours.
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 10,
        broker_rebalance_timeout=settings.drain_s + settings.session_timeout_s,
        # A partition that retries holds up the reading of all: that must not count as a dead consumer.
        broker_max_poll_interval=2 * settings.retry_for_s + 300,
        broker_commit_interval=1.0,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        stream_buffer_maxsize=_BUFFERED,
        table_standby_replicas=0,
    )


def source_topic(app: faust.App, name: str, partitions: int) -> Any:
    """The topic to read. Without acks, so that Faust commits nothing for it: offsets go with our transactions.

    (Faust acknowledges what it skips after a rebalance, and may so commit what nobody handled.)
    """
    return app.topic(name, value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw",
                     partitions=partitions, acks=False, allow_empty=True)  # fmt: skip


def _credentials(settings: KafkaSettings) -> Any:
    context = connection(settings).get("ssl_context")
    if settings.security_protocol.startswith("SASL"):
        password = settings.sasl_password
        return SASLCredentials(
            username=settings.sasl_username,
            password=password.get_secret_value() if password else None,
            mechanism=settings.sasl_mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context) if context else None
