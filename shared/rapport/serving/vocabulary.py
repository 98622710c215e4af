"""The words that callers of a model worker use, and their protobuf forms."""

from __future__ import annotations

from enum import Enum

from rapport.contracts.worker.v1 import common_pb2, encoder_pb2
from rapport.models.ports import ModelId, Role


class Priority(Enum):
    """Bulk work waits for interactive work, without starving."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


# Unspecified is a query and interactive, as the contract says.
_ROLES = {Role.QUERY: encoder_pb2.TEXT_ROLE_QUERY, Role.PASSAGE: encoder_pb2.TEXT_ROLE_PASSAGE}
_PRIORITIES = {
    Priority.INTERACTIVE: common_pb2.PRIORITY_INTERACTIVE,
    Priority.BULK: common_pb2.PRIORITY_BULK,
}


def wire_role(role: Role) -> encoder_pb2.TextRole.ValueType:
    return _ROLES[role]


def role_of(wire: encoder_pb2.TextRole.ValueType) -> Role:
    return Role.PASSAGE if wire == encoder_pb2.TEXT_ROLE_PASSAGE else Role.QUERY


def wire_priority(priority: Priority) -> common_pb2.Priority.ValueType:
    return _PRIORITIES[priority]


def priority_of(wire: common_pb2.Priority.ValueType) -> Priority:
    return Priority.BULK if wire == common_pb2.PRIORITY_BULK else Priority.INTERACTIVE


def wire_model(model: ModelId) -> common_pb2.ModelRef:
    return common_pb2.ModelRef(id=model.id, revision=model.revision)


def model_name(model: common_pb2.ModelRef) -> str:
    """ "id@revision": what marks a key space of vectors, a cached answer, a line in a trail."""
    return f"{model.id}@{model.revision}"
