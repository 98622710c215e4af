"""Official fakes, builders and random names: what a test of a handler needs instead of servers and models.

The fakes keep the contracts of the real things and are tested beside them. Nothing here is for production.
"""

from rapport.testing.events import message, ordered, received, searched, viewed
from rapport.testing.key_values import MemoryKeyValues
from rapport.testing.models import FakeClassifier, FakeEncoder, FakeGenerator
from rapport.testing.names import random_name
from rapport.testing.state import MemoryKeyedState

__all__ = [
    "FakeClassifier",
    "FakeEncoder",
    "FakeGenerator",
    "MemoryKeyValues",
    "MemoryKeyedState",
    "message",
    "ordered",
    "random_name",
    "received",
    "searched",
    "viewed",
]
