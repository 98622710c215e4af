"""requirements.lock is what pyproject.toml asks for: each package in a fitting version, with hashes, by no address."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.local.settings import REPOSITORY

LOCK = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")


def test_every_dependency_is_locked_in_a_version_that_fits() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK, re.MULTILINE):
        locked.setdefault(name, []).append(version)
    for text in [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]:
        wanted = Requirement(text)
        versions = locked.get(canonicalize_name(wanted.name), [])
        assert versions, text
        assert all(wanted.specifier.contains(version) for version in versions), text


def test_every_package_has_hashes_and_comes_from_no_address_of_ours() -> None:
    for entry in re.split(r"\n(?=[a-z0-9])", LOCK.partition("\n")[2]):
        if "==" in entry:
            assert "--hash=sha256:" in entry, entry
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", LOCK)
