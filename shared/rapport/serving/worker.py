"""Joins models, engines and RPCs into the parts of a model worker."""

from __future__ import annotations

from collections.abc import Callable, Collection

from rapport.contracts.worker.v1 import classifier_pb2, encoder_pb2, generator_pb2
from rapport.contracts.worker.v1.classifier_pb2_grpc import add_ClassifierServicer_to_server
from rapport.contracts.worker.v1.encoder_pb2_grpc import add_EncoderServicer_to_server
from rapport.contracts.worker.v1.generator_pb2_grpc import add_GeneratorServicer_to_server
from rapport.models.ports import Decoder
from rapport.ops.parts import Health, Part
from rapport.ops.settings import GrpcSettings, Settings
from rapport.serving.batching import Batcher
from rapport.serving.device_thread import DeviceThread
from rapport.serving.encoder_service import ClassifyService, EmbedService
from rapport.serving.encoding import EncodingEngine
from rapport.serving.generation import GenerationLoop
from rapport.serving.generator_service import GenerateService
from rapport.serving.host import ModelHost
from rapport.serving.limits import TextLimits
from rapport.serving.loading import LoadedEncoder, load_decoder, load_encoder
from rapport.serving.server import GrpcServer, Servicing
from rapport.serving.text_engine import TextEngine

ENCODER = encoder_pb2.DESCRIPTOR.services_by_name["Encoder"].full_name
CLASSIFIER = classifier_pb2.DESCRIPTOR.services_by_name["Classifier"].full_name
GENERATOR = generator_pb2.DESCRIPTOR.services_by_name["Generator"].full_name


def worker_parts(
    settings: Settings, *, embed: bool = False, tasks: Collection[str] = (), generate: bool = False
) -> list[Part]:
    """The parts of a worker that serves what is asked for: `Encoder` (`embed`), `Classifier` (`tasks`, by name) and
    `Generator` (`generate`), on one device. Builds; opens and loads nothing.
    """
    device = DeviceThread("device")
    parts: list[Part] = [device]
    servicers: list[Servicing] = []
    health: dict[str, Callable[[], Health]] = {}
    if embed or tasks:
        encoding = _encoding(settings, device, tasks)
        limits = TextLimits(settings.worker.max_texts, settings.worker.max_text_bytes)
        parts.append(encoding)
        if embed:
            servicers.append((add_EncoderServicer_to_server, EmbedService(encoding, limits), ENCODER))
            health[ENCODER] = encoding.health
        if tasks:
            servicers.append((add_ClassifierServicer_to_server, ClassifyService(encoding, limits), CLASSIFIER))
            health[CLASSIFIER] = encoding.health
    if generate:
        generating = _generating(settings, device)
        parts.append(generating)
        servicers.append((add_GeneratorServicer_to_server, GenerateService(generating), GENERATOR))
        health[GENERATOR] = generating.health
    listen = GrpcSettings(host=settings.worker.host, port=settings.worker.port, drain_s=settings.grpc.drain_s)
    return [*parts, GrpcServer("grpc", listen, servicers, health=health, setting="RAPPORT_WORKER__PORT")]


def _encoding(
    settings: Settings, device: DeviceThread, tasks: Collection[str]
) -> ModelHost[LoadedEncoder, EncodingEngine]:
    worker = settings.worker

    def run(loaded: LoadedEncoder) -> EncodingEngine:
        batcher = Batcher(
            "encoder",
            loaded.backend,
            device,
            max_queue=worker.max_queue,
            max_batch_tokens=worker.max_batch_tokens,
        )
        return EncodingEngine(batcher, loaded.heads)

    return ModelHost("encoder", device, lambda: load_encoder(settings, tasks), run)


def _generating(settings: Settings, device: DeviceThread) -> ModelHost[Decoder, TextEngine]:
    worker = settings.worker
    return ModelHost(
        "generator",
        device,
        lambda: load_decoder(settings),
        lambda decoder: GenerationLoop(
            "generator",
            decoder,
            device,
            max_queue=worker.max_queue,
            default_max_tokens=worker.max_tokens,
        ),
    )
