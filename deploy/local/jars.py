"""The broker's jars: resolved once by Maven into the cache, by the versions in `kafka/pom.xml`."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from rapport.ops.errors import ConfigurationError, UnavailableError

POM = Path(__file__).with_name("kafka") / "pom.xml"
# 46 MB over a slow line, and Maven's own plugins the first time.
TIMEOUT_S = 900


def kafka_jars(cache: Path, java: Path, progress: Callable[[str], None]) -> Path:
    """Folder with the broker's jars, below `cache`. A changed pom is another folder, so versions never mix."""
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    folder = cache / "kafka" / digest
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise ConfigurationError(
            "Maven is needed to fetch Kafka",
            field="mvn",
            fix="install it (Debian: apt-get install maven), start Docker, or use --broker with a Kafka of your own",
        )
    progress("fetching Kafka's jars with Maven (46 MB, once)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Filled beside its place and moved in whole: a second start, or one cut short, never sees half of it.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as scratch:
        target = Path(scratch) / "lib"
        _copy_dependencies(maven, java, target)
        try:
            target.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    return folder


def _copy_dependencies(maven: str, java: Path, target: Path) -> None:
    command = [maven, "--batch-mode", "--no-transfer-progress", "--strict-checksums", "--file", str(POM)]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={target}", "-DincludeScope=runtime"]
    # Maven looks for a Java of its own; where the system has none it takes the one that Kafka will run on.
    if shutil.which("java") is None:
        command = ["env", f"JAVA_HOME={java.parent.parent}", *command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnavailableError("Maven did not finish", field="mvn", fix="check the network and try again") from error
    if done.returncode != 0:
        reason = next((line for line in done.stdout.splitlines() if "[ERROR]" in line), "no reason given")
        raise UnavailableError(
            f"Maven could not fetch Kafka: {reason}",
            field="mvn",
            fix=f"run it yourself to see more: {' '.join(command)}",
        )
