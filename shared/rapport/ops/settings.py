"""Typed settings: `RAPPORT_` + section + `__` + key, read once, in a process's bootstrap.

Every process has the sections below; a service adds one of its own name (`RAPPORT_RECOMMENDER__LIMIT`). An unknown or
malformed setting stops the start with a line that names it. Lists of words are comma-separated; what has commas or a
structure of its own (CEL, promotions, weights) is JSON, and says so.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from rapport.ops.environment import PREFIX, not_json, refuse_unknown, refused


def words(text: str) -> tuple[str, ...]:
    """Those of a comma-separated list."""
    return tuple(word for part in text.split(",") if (word := part.strip()))


def _listed(given: object) -> object:
    return words(given) if isinstance(given, str) else given


T = TypeVar("T")
# NoDecode: pydantic-settings would take lists for JSON.
Listed = Annotated[tuple[T, ...], NoDecode, BeforeValidator(_listed)]
Words = Listed[str]


class Section(BaseModel):
    """A group of settings. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class KafkaSettings(Section):
    bootstrap_servers: str = "127.0.0.1:9092"
    """Brokers, comma-separated host:port."""
    topic_prefix: str = "rapport."
    """Put before every topic name."""
    partitions: int = Field(default=2, ge=1, le=1000)
    """Partitions of the topics that Rapport creates: as many as a service may ever have replicas, and not many more,
    since each has transactions of its own. Must not change while a profiler's state exists."""
    replication_factor: int = Field(default=1, ge=1)
    """Copies of each partition. 3 in production."""
    group_prefix: str = "rapport-"
    """Put before every consumer group id."""
    max_batch: int = Field(default=256, ge=1)
    """Most messages a handler gets at once."""
    commit_interval_s: float = Field(default=0.01, ge=0, le=10)
    """Least time between two batches of a partition. More: fewer transactions; less: a lower latency under load."""
    max_message_bytes: int = Field(default=1_000_000, ge=1024)
    """A larger message is a size violation. The broker's own limit must not be lower."""
    session_timeout_s: float = Field(default=10.0, ge=6)
    """After this silence a consumer's partitions go to another. Below 6 s the broker refuses."""
    stall_after_s: float = Field(default=60.0, gt=0)
    """A partition with lag and no progress for this long makes the process not live."""
    retry_for_s: float = Field(default=300.0, ge=0)
    """A batch whose handler says "try later" is tried again for this long, then set aside as enrichment_failure."""
    drain_s: float = Field(default=10.0, ge=0)
    """Batches under way may finish for this long after SIGTERM, and before partitions go to another consumer."""
    duplicate_window: int = Field(default=10_000, ge=0)
    """An event id seen among this many messages of its partition is not handled again. 0: ids are not compared."""
    stateful_runtime: Literal["faust", "aiokafka"] = "aiokafka"
    """What reads for consumers with keyed state. State and guarantees are the same with both; Faust takes longer."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How to talk to the brokers."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    """With SASL: how to prove who we are."""
    sasl_username: str | None = None
    """With SASL: the user."""
    sasl_password: SecretStr | None = None
    """With SASL: the password."""
    ssl_cafile: Path | None = None
    """With SSL: certificates to trust instead of the system's."""


class RedisSettings(Section):
    url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    """redis:// or rediss:// (TLS), password included."""
    cluster: bool = False
    """True for a Redis Cluster."""
    timeout_s: float = Field(default=2.0, gt=0)
    """Longest wait for an answer."""


class GrpcSettings(Section):
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=0, ge=0, le=65535)
    """Port of the service's API; 0 takes a free one."""
    drain_s: float = Field(default=5.0, ge=0)
    """Calls under way may finish for this long after SIGTERM."""


class OpsSettings(Section):
    host: str = "127.0.0.1"
    """Address of the health and metrics page."""
    port: int = Field(default=0, ge=0, le=65535)
    """Its port (/health/live, /health/ready, /metrics); 0 takes a free one."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least serious line to log."""
    log_format: Literal["auto", "json", "console"] = "auto"
    """auto: console on a terminal, JSON otherwise."""
    otlp_endpoint: str | None = None
    """OpenTelemetry collector (gRPC); none: no traces leave the process."""


class ModelSettings(Section):
    set: Literal["tiny", "small", "gpu"] = "tiny"
    """Which named set of models; see docs/models.md."""
    cache: Path = Path.home() / ".cache" / "rapport" / "models"
    """Folder for prepared models."""
    encoder: str | None = None
    """Overrides the set's encoder: a folder or a Hugging Face id."""
    generator: str | None = None
    """Overrides the set's language model: a folder, a GGUF file or a Hugging Face id."""
    reranker: str | None = None
    """A cross-encoder for `Reranker.Rerank`: a folder or a Hugging Face id; none: workers have no such RPC."""
    runtime: Literal["auto", "torch", "openvino", "onnxruntime"] = "auto"
    """What runs encoders. auto: on a CPU what `./rapport models optimise` stored with the model, else torch."""
    precision: Literal["auto", "fp32", "bf16", "int8"] = "auto"
    """Numbers that encoders compute with. auto: what the device is good at. int8: on a CPU, after `models optimise`."""
    follow: bool = True
    """Workers follow promotions on models.v1; false: they serve what the settings name and need no Kafka."""
    generator_url: str | None = Field(default=None, pattern=r"^https?://")
    """An OpenAI-compatible endpoint (http://host:8000/v1) that writes the texts instead; it knows the model as
    `generator`."""
    generator_key: SecretStr | None = None
    """With `generator_url`: its API key, if it wants one."""
    adapters: dict[str, str] = {}
    """LoRA adapters by name, each a folder (peft, safetensors): {"brand": "/models/brand-voice"}."""
    context: int | None = Field(default=None, ge=64)
    """Most tokens of prompt and answer together; none: the set's."""


class WorkerSettings(Section):
    address: str = "127.0.0.1:50061"
    """host:port of this service's model worker (what a service dials)."""
    host: str = "127.0.0.1"
    """Address the worker listens on."""
    port: int = Field(default=0, ge=0, le=65535)
    """Port the worker listens on; 0 takes a free one."""
    backend: Literal["torch", "dummy"] = "torch"
    """dummy: deterministic answers without weights, for tests."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """auto: a CUDA device if there is one."""
    threads: int = Field(default=0, ge=0)
    """CPU threads of the device work; 0: from the cgroup's quota."""
    max_batch_tokens: int = Field(default=16_384, ge=512)
    """Padded tokens in one encoder batch."""
    max_queue: int = Field(default=512, ge=1)
    """Calls waiting; more are refused with RESOURCE_EXHAUSTED."""
    max_queue_characters: int = Field(default=4_000_000, ge=1)
    """Characters of the calls waiting, at most 4,096 of each text counted; more are refused."""
    cached_rows: int = Field(default=20_000, ge=0)
    """Embeddings of short texts that are remembered; 0: none. 20,000 of 384 dimensions take some 40 MB."""
    memory_mb: int = Field(default=0, ge=0)
    """Most memory of the encoders' weights on the device; a model that does not fit is refused. 0: no cap."""
    max_texts: int = Field(default=2048, ge=1)
    """Texts in one call."""
    max_text_bytes: int = Field(default=1_000_000, ge=1)
    """UTF-8 bytes of one text."""
    max_tokens: int = Field(default=128, ge=1)
    """Tokens generated when the caller names no number."""
    max_generations: int = Field(default=16, ge=1)
    """Texts generated at once; fewer when the cache holds fewer. Others wait."""
    generation_cache_mb: int | None = Field(default=None, ge=1)
    """Memory for keys and values of the texts under way; none: the set's."""
    prefix_cache_mb: int = Field(default=64, ge=0)
    """Memory for prompt beginnings that requests share, such as a system prompt; 0: none are kept."""
    timeout_s: float = Field(default=10.0, gt=0)
    """Deadline a service sets on its calls to the worker."""


class PeerSettings(Section):
    profiler: str = "127.0.0.1:50051"
    """host:port of the profiler's API."""
    recommender: str = "127.0.0.1:50052"
    """host:port of the recommender's API."""
    chatbot: str = "127.0.0.1:50053"
    """host:port of the chatbot's API."""
    content: str = "127.0.0.1:50054"
    """host:port of the content service's API."""


class Settings(BaseSettings):
    """What every process can be told. A service subclasses it and adds its own section."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    tenant: str = "default"
    """Tenant of events that name none."""
    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    grpc: GrpcSettings = GrpcSettings()
    ops: OpsSettings = OpsSettings()
    models: ModelSettings = ModelSettings()
    worker: WorkerSettings = WorkerSettings()
    services: PeerSettings = PeerSettings()

    @classmethod
    def load(cls) -> Self:
        """Settings from the environment. Raises `ConfigurationError` naming the variable and the fix."""
        refuse_unknown(cls, os.environ)
        try:
            return cls()
        except SettingsError as error:
            raise not_json(error, os.environ) from error
        except ValidationError as error:
            raise refused(cls, error.errors()[0]) from error
