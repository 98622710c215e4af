"""Joins models, engines and RPCs into the parts of a model worker."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from rapport.contracts.openinference.v2.inference_service_pb2_grpc import add_GRPCInferenceServiceServicer_to_server
from rapport.contracts.worker.v1 import classifier_pb2, encoder_pb2, generator_pb2
from rapport.contracts.worker.v1.classifier_pb2_grpc import add_ClassifierServicer_to_server
from rapport.contracts.worker.v1.encoder_pb2_grpc import add_EncoderServicer_to_server
from rapport.contracts.worker.v1.generator_pb2_grpc import add_GeneratorServicer_to_server
from rapport.contracts.worker.v1.reranker_pb2_grpc import add_RerankerServicer_to_server
from rapport.models.promoted import PromotedModels
from rapport.ops.parts import Health, Part
from rapport.ops.settings import GrpcSettings, Settings
from rapport.serving.device_thread import DeviceThread
from rapport.serving.encoder_host import EncoderHost
from rapport.serving.encoder_service import ClassifyService, EmbedService
from rapport.serving.generating.hosting import GenerationHost, remote_host
from rapport.serving.generator_service import GenerateService
from rapport.serving.host import ModelHost
from rapport.serving.inference_service import INFERENCE, InferenceService
from rapport.serving.limits import TextLimits
from rapport.serving.reranking import RERANKER, RerankService, reranker_host
from rapport.serving.server import GrpcServer, Servicing

ENCODER = encoder_pb2.DESCRIPTOR.services_by_name["Encoder"].full_name
CLASSIFIER = classifier_pb2.DESCRIPTOR.services_by_name["Classifier"].full_name
GENERATOR = generator_pb2.DESCRIPTOR.services_by_name["Generator"].full_name


@dataclass(frozen=True, slots=True)
class Hosted:
    """What a service's own worker room brings in: its parts, and the RPC that they answer."""

    parts: Sequence[Part]
    servicing: Servicing
    health: Callable[[], Health]


def worker_parts(
    settings: Settings,
    *,
    embed: bool = False,
    tasks: Collection[str] = (),
    generate: bool = False,
    adapters: Collection[str] = (),
    more: Callable[[DeviceThread], Hosted] | None = None,
) -> list[Part]:
    """The parts of a worker that serves what is asked for: `Encoder` (`embed`), `Classifier` (`tasks`, by name),
    `Generator` (`generate`; `adapters` of it by name, once they are promoted), and `more` of the service's own, on one
    device; the first two also by the Open Inference Protocol. Builds; opens and loads nothing.
    """
    device = DeviceThread("device")
    parts: list[Part] = [device]
    servicers: list[Servicing] = []
    health: dict[str, Callable[[], Health]] = {}
    models: dict[str, Callable[[], Health]] = {}
    if embed or tasks:
        encoding = EncoderHost(settings, device, tasks)
        limits = TextLimits(settings.worker.max_texts, settings.worker.max_text_bytes)
        parts.append(encoding)
        if settings.models.follow:
            promoted = PromotedModels("worker", settings)
            encoding.follows(promoted)
            parts.append(promoted)
        models |= {name: functools.partial(encoding.model_health, name) for name in ("encoder", *tasks)}
        if embed:
            servicers.append((add_EncoderServicer_to_server, EmbedService(encoding, limits), ENCODER))
            health[ENCODER] = encoding.health
        if tasks:
            servicers.append((add_ClassifierServicer_to_server, ClassifyService(encoding, limits), CLASSIFIER))
            health[CLASSIFIER] = encoding.health
        inference = InferenceService(encoding, limits, embed=embed)
        servicers.append((add_GRPCInferenceServiceServicer_to_server, inference, INFERENCE))
        health[INFERENCE] = encoding.health
    if settings.models.reranker is not None and embed:
        reranking = reranker_host(settings, device)
        parts.append(reranking)
        limits = TextLimits(settings.worker.max_texts, settings.worker.max_text_bytes)
        servicers.append((add_RerankerServicer_to_server, RerankService(reranking, limits), RERANKER))
        health[RERANKER] = models["reranker"] = reranking.health
    if generate:
        generating = _generating(settings, device, adapters, parts)
        servicers.append((add_GeneratorServicer_to_server, GenerateService(generating), GENERATOR))
        health[GENERATOR] = models["generator"] = generating.health
    if more is not None:
        own = more(device)
        parts.extend(own.parts)
        servicers.append(own.servicing)
        health[own.servicing[2]] = own.health
    listen = GrpcSettings(host=settings.worker.host, port=settings.worker.port, drain_s=settings.grpc.drain_s)
    server = GrpcServer("grpc", listen, servicers, health=health, models=models, setting="RAPPORT_WORKER__PORT")
    return [*parts, server]


def _generating(
    settings: Settings, device: DeviceThread, adapters: Collection[str], parts: list[Part]
) -> ModelHost[Any, Any]:
    """The host of the language model, which joins `parts` with what follows promotions for it."""
    if settings.models.generator_url is not None and settings.worker.backend != "dummy":
        remote = remote_host(settings, device)
        parts.append(remote)
        return remote
    host = GenerationHost(settings, device, adapters)
    parts.append(host)
    if settings.models.follow:
        promoted = PromotedModels("generator", settings)
        host.follows(promoted)
        parts.append(promoted)
    return host
