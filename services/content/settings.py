"""What the content service can be told, besides what every process can."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from rapport.ops.settings import Section, Settings

_HERE = Path(__file__).parent


class CopySettings(Section):
    templates: Path = _HERE / "templates"
    """Folder with one template file a language."""
    rules: Path = _HERE / "rules" / "claims.yaml"
    """What copy must not say, with reasons and sources."""
    attempts: int = Field(default=2, ge=0, le=10)
    """Times the model may try before the template is used; 0: templates alone."""
    model_languages: str = "en"
    """Languages that the language model writes well, comma-separated; templates serve the others."""
    model_lines_per_minute: float = Field(default=3.0, ge=0)
    """Recommendation lines that the model may write a minute; templates write the rest."""
    max_tokens: int = Field(default=72, ge=8)
    """Longest text of the model, in tokens."""
    temperature: float = Field(default=0.4, ge=0, le=2)
    """0: the likeliest words always."""
    default_language: str = "en"
    """Of recommendation lines, where the recommendation does not show one."""
    keep_hours: float = Field(default=168, gt=0)
    """How long a request's copy and a line are remembered."""


class ContentSettings(Settings):
    content: CopySettings = CopySettings()
