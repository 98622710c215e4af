"""gRPC options that both ends must agree on, and why each is not the default."""

from __future__ import annotations

# Bytes of one message, either way. 2,048 product texts or their vectors take a tenth; gRPC's 4 MiB would refuse them.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024

_SIZES = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)

SERVER_OPTIONS = (
    *_SIZES,
    # Without this a second process silently shares the port and takes half of the calls.
    ("grpc.so_reuseport", 0),
    # Clients ping idle channels to notice a dead peer; the default answers that with "too many pings".
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
)

CHANNEL_OPTIONS = (
    *_SIZES,
    # gRPC waits up to 2 minutes before it dials again; a restarted peer is back within seconds.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A peer that vanished without closing (power, network) is noticed within half a minute.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
)
