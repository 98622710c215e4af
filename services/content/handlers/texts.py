"""The texts of running experiments, for who asks what to show: content.published.v1, those with an experiment alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rapport.bus.messages import Message
from rapport.events.content import ContentPublished


@dataclass(slots=True)
class Texts:
    """By tenant, content and variant."""

    _texts: dict[tuple[str, str, str], str] = field(default_factory=dict)

    async def apply(self, messages: Sequence[Message]) -> None:
        for message in messages:
            event = message.event
            if isinstance(event, ContentPublished) and event.experiment_id is not None:
                for variant in event.variants:
                    self._texts[message.envelope.tenant, event.content_id, variant.variant_id] = variant.text

    def of(self, tenant: str, content_id: str, variant_id: str) -> str:
        """Empty when the topic no longer has it."""
        return self._texts.get((tenant, content_id, variant_id), "")
