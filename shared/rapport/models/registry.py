"""The store of trained versions: `<models cache>/versions/<name>/<version>/`, each with a manifest.

    registry = Registry(settings.models.cache)
    version = registry.register(folder, name="recommender-ranker", kind="lambdamart", metrics={"ndcg@10": 0.41})
    registry.load("recommender-ranker", version.version).folder

A registered version never changes. Which one answers is told on the topic `models.v1`: see `promotions` and `promoted`.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from rapport.models.pickles import refuse_pickles_in
from rapport.models.versions import MANIFEST, Manifest, Version, check_name, files_below, sha256
from rapport.ops.errors import ModelError, NotFound, StateConflict

# Begins the name of a folder that is still being written; a killed registration leaves it behind, and nobody lists it.
_ASIDE = ".registering-"


class Registry:
    """Versions on this machine. Safe to use from several processes at once."""

    def __init__(self, cache: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`cache`: the folder of `RAPPORT_MODELS__CACHE`. Nothing is opened or made before it is needed."""
        self.folder = cache / "versions"
        self._now = now

    def register(
        self,
        folder: Path,
        *,
        name: str,
        kind: str,
        metrics: Mapping[str, float] | None = None,
        requires: Mapping[str, str] | None = None,
        version: str | None = None,
    ) -> Version:
        """Copies `folder` into the store and returns its version. `version` None: the time and a hash of the files.

        Raises `ModelError` for a folder that is empty or holds a pickle, `InvalidRequest` for a name that cannot be a
        folder, `StateConflict` when the version is there already.
        """
        check_name(name, "name")
        if not folder.is_dir() or not files_below(folder):
            raise ModelError(f"{folder} is not a folder with files")
        refuse_pickles_in(folder)
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=self.folder / name))
        try:
            shutil.copytree(folder, aside, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST))
            files = {path: sha256(aside / path) for path in files_below(aside)}
            created = self._now()
            manifest = Manifest(
                name=name,
                version=check_name(version, "version") if version else _version(created, files),
                kind=kind,
                created_at=created,
                metrics=dict(metrics or {}),
                requires=dict(requires or {}),
                files=files,
            )
            return self._place(aside, manifest)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def make(
        self,
        save: Callable[[Path], None],
        *,
        name: str,
        kind: str,
        metrics: Mapping[str, float] | None = None,
        requires: Mapping[str, str] | None = None,
    ) -> Version:
        """Registers what `save` writes into an empty folder. Raises as `register` does."""
        with tempfile.TemporaryDirectory(prefix="rapport-fit-") as folder:
            save(Path(folder))
            return self.register(Path(folder), name=name, kind=kind, metrics=metrics, requires=requires)

    def load(self, name: str, version: str) -> Version:
        """The version, its files verified. Raises `NotFound` naming those there are, `ModelError` for damaged files."""
        check_name(name, "name")
        check_name(version, "version")
        folder = self.folder / name / version
        if not (folder / MANIFEST).is_file():
            known = ", ".join(each.version for each in self.versions(name)) or "none"
            raise NotFound(f"no version {version!r} of {name} in {self.folder}", field="version", fix=f"there: {known}")
        found = Version.read(folder)
        found.verify()
        return found

    def names(self) -> list[str]:
        """Models that have versions, sorted."""
        return sorted({file.parent.parent.name for file in self.folder.glob(f"*/[!.]*/{MANIFEST}")})

    def versions(self, name: str) -> list[Version]:
        """Every version of `name`, oldest first; not verified. Damaged ones are left out: `load` says what is wrong."""
        found = []
        for file in (self.folder / name).glob(f"[!.]*/{MANIFEST}"):
            try:
                found.append(Version.read(file.parent))
            except ModelError:
                continue
        return sorted(found, key=lambda each: (each.manifest.created_at, each.version))

    def _place(self, aside: Path, manifest: Manifest) -> Version:
        (aside / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        aside.chmod(0o755)
        for file in aside.rglob("*"):
            # Registered by root, read by a service's user.
            file.chmod(0o755 if file.is_dir() else 0o644)
        place = self.folder / manifest.name / manifest.version
        try:
            aside.rename(place)
        except OSError as error:
            # A rename onto a folder that is not empty is refused: of two that register the same version, one wins.
            raise StateConflict(f"{manifest.name} {manifest.version} is registered already", field="version") from error
        return Version(place, manifest)


def _version(created: datetime, files: Mapping[str, str]) -> str:
    """Sorts by time; the hash tells apart what was made in the same second."""
    listing = "\n".join(f"{path} {digest}" for path, digest in sorted(files.items()))
    return f"{created:%Y%m%d-%H%M%S}-{hashlib.sha256(listing.encode()).hexdigest()[:6]}"
