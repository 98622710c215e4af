"""The content service's model worker: writes copy."""

from __future__ import annotations

from rapport.ops.parts import Part
from rapport.ops.settings import Settings
from rapport.serving.worker import worker_parts
from services.content.training import COPYWRITER


def parts(settings: Settings) -> list[Part]:
    """One language model, with the copywriter's adapter once one is promoted; texts are compared by the services that
    keep vectors.
    """
    return worker_parts(settings, generate=True, adapters=(COPYWRITER,))
