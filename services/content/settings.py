"""What the content service can be told, besides what every process can."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from rapport.ops.settings import GrpcSettings, OpsSettings, Section, Settings, Words, WorkerSettings

_HERE = Path(__file__).parent


class ContentSection(Section):
    templates: Path = _HERE / "templates"
    """Folder with one template file a language."""
    rules: Path = _HERE / "rules"
    """Folder of rule files: what copy must not say, with reasons and sources; `markets/` has each market's own."""
    lexicon: Path = _HERE / "lexicon"
    """Folder with the words that state facts, the words that do not, and what each channel can carry."""
    strict_vocabulary: bool = True
    """True: the language model may use only words of the facts and of the lexicon's neutral lists."""
    attempts: int = Field(default=3, ge=0, le=10)
    """Times the model may try before the template is used; 0: templates alone."""
    model_languages: Words = ("en",)
    """Languages that the language model writes well, comma-separated; templates serve the others."""
    line_tokens_per_minute: float = Field(default=600.0, ge=0)
    """Language-model tokens that recommendation lines may use a minute; templates write the rest."""
    lines_waiting: int = Field(default=200, ge=1)
    """Recommendation lines that may wait for the model; more stay as the template has them."""
    line_items: int = Field(default=1, ge=1, le=10)
    """Items of a recommendation, from the top, that get a line."""
    max_tokens: int = Field(default=72, ge=8)
    """Longest text of the model, in tokens."""
    temperature: float = Field(default=0.4, ge=0, le=2)
    """0: the likeliest words always."""
    constrain: bool = True
    """True: decoding is held to the brief's figures and the product's name, where the worker can do that."""
    adapter: str = ""
    """LoRA adapter by its name in the worker's settings; empty: the promoted copywriter, or the model as it is."""
    default_language: str = "en"
    """Of recommendation lines, where the recommendation does not show one."""
    keep_hours: float = Field(default=168, gt=0)
    """How long a request's copy, a line and recent texts are remembered."""
    approval: bool = False
    """True: a person must approve what briefs ask for before it is published, unless the brief says otherwise."""
    referee_every_s: float = Field(default=30.0, gt=0)
    """How often experiments are asked whether their stopping rule is met."""


class ContentSettings(Settings):
    content: ContentSection = ContentSection()
    grpc: GrpcSettings = GrpcSettings(port=50054)
    ops: OpsSettings = OpsSettings(port=9104)
    worker: WorkerSettings = WorkerSettings(address="127.0.0.1:50064")
