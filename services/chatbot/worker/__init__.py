"""The chatbot's model worker: embeds questions and articles, reads the sentiment of messages, points at answers in
passages, and writes answers."""

from __future__ import annotations

from rapport.contracts.worker.v1.reader_pb2_grpc import add_ReaderServicer_to_server
from rapport.models.promoted import PromotedModels
from rapport.ops.parts import Part
from rapport.ops.settings import Settings
from rapport.serving.device_thread import DeviceThread
from rapport.serving.limits import TextLimits
from rapport.serving.worker import Hosted, worker_parts
from services.chatbot.training.answer_names import NAME as ANSWERS
from services.chatbot.training.versions import NAME as INTENTS
from services.chatbot.worker.reading import READER, ExtractService, ReaderHost


def parts(settings: Settings) -> list[Part]:
    """An encoder with the sentiment head, the intents and the reader that are promoted, and a language model, on one
    device."""

    def reading(device: DeviceThread) -> Hosted:
        host = ReaderHost(settings.worker, device)
        limits = TextLimits(settings.worker.max_texts, settings.worker.max_text_bytes)
        servicing = (add_ReaderServicer_to_server, ExtractService(host, limits), READER)
        if not settings.models.follow:
            return Hosted((host,), servicing, host.health)
        promoted = PromotedModels("chatbot-reader", settings)
        promoted.follow(ANSWERS, host.use)
        return Hosted((host, promoted), servicing, host.health)

    return worker_parts(settings, embed=True, tasks=("sentiment", INTENTS), generate=True, more=reading)
