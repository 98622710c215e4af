"""Joins models, engines and RPCs into the parts of a model worker."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
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
    worker = _Worker([device])
    limits = TextLimits(settings.worker.max_texts, settings.worker.max_text_bytes)
    if embed or tasks:
        _host_encoder(worker, EncoderHost(settings, device, tasks), settings, limits, tasks, embed=embed)
    if settings.models.reranker is not None and embed:
        reranking = reranker_host(settings, device)
        worker.parts.append(reranking)
        worker.models["reranker"] = reranking.health
        worker.serve((add_RerankerServicer_to_server, RerankService(reranking, limits), RERANKER), reranking.health)
    if generate:
        generating = _generating(settings, device, adapters, worker.parts)
        worker.models["generator"] = generating.health
        worker.serve((add_GeneratorServicer_to_server, GenerateService(generating), GENERATOR), generating.health)
    if more is not None:
        own = more(device)
        worker.parts.extend(own.parts)
        worker.serve(own.servicing, own.health)
    listen = GrpcSettings(host=settings.worker.host, port=settings.worker.port, drain_s=settings.grpc.drain_s)
    server = GrpcServer(
        "grpc", listen, worker.servicers, health=worker.health, models=worker.models, setting="RAPPORT_WORKER__PORT"
    )
    return [*worker.parts, server]


@dataclass(slots=True)
class _Worker:
    """What has been joined so far."""

    parts: list[Part]
    servicers: list[Servicing] = field(default_factory=list)
    health: dict[str, Callable[[], Health]] = field(default_factory=dict)
    """By RPC service."""
    models: dict[str, Callable[[], Health]] = field(default_factory=dict)

    def serve(self, servicing: Servicing, health: Callable[[], Health]) -> None:
        self.servicers.append(servicing)
        self.health[servicing[2]] = health


def _host_encoder(
    worker: _Worker, host: EncoderHost, settings: Settings, limits: TextLimits, tasks: Collection[str], *, embed: bool
) -> None:
    worker.parts.append(host)
    if settings.models.follow:
        promoted = PromotedModels("worker", settings)
        host.follows(promoted)
        worker.parts.append(promoted)
    worker.models |= {name: functools.partial(host.model_health, name) for name in ("encoder", *tasks)}
    if embed:
        worker.serve((add_EncoderServicer_to_server, EmbedService(host, limits), ENCODER), host.health)
    if tasks:
        worker.serve((add_ClassifierServicer_to_server, ClassifyService(host, limits), CLASSIFIER), host.health)
    inference = InferenceService(host, limits, embed=embed)
    worker.serve((add_GRPCInferenceServiceServicer_to_server, inference, INFERENCE), host.health)


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
