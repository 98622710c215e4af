"""A real Kafka broker on this machine: KRaft, one node, on 127.0.0.1."""

from __future__ import annotations

import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rapport.ops.errors import UnavailableError

TEMPLATES = Path(__file__).with_name("kafka")
# The same for every embedded broker: it only has to match between the log folder and the broker that opens it.
CLUSTER_ID = "cmFwcG9ydC1lbWJlZGRlZA"


@dataclass(frozen=True, slots=True)
class KafkaServer:
    """Where the broker keeps its log (`state`), what it runs on, and its two ports."""

    java: Path
    jars: Path
    state: Path
    port: int
    controller_port: int
    heap_mb: int = 512

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Write the configuration; format the log folder the first time."""
        self.state.mkdir(parents=True, exist_ok=True)
        data = self.state / "data"
        listeners = f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{self.controller_port}"
        own = {
            "listeners": listeners,
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "log.dirs": str(data),
        }
        text = (TEMPLATES / "server.properties").read_text() + "".join(f"{k}={v}\n" for k, v in own.items())
        self._properties.write_text(text)
        if not (data / "meta.properties").exists():
            self._format()

    def command(self) -> list[str]:
        """What to run; it logs to standard output and ends on SIGTERM."""
        heap = [f"-Xms{self.heap_mb // 2}m", f"-Xmx{self.heap_mb}m"]
        # Serial collection: with a few shared cores and half a gigabyte its pauses are milliseconds, its cost least.
        options = [*heap, "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"]
        return [*self._java(), *options, "kafka.Kafka", str(self._properties)]

    def ready(self) -> bool:
        """True once the broker answers a metadata request and counts itself as a live broker."""
        return answers_metadata(self.address)

    @property
    def _properties(self) -> Path:
        return self.state / "server.properties"

    def _java(self) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={TEMPLATES / 'log4j2.yaml'}"
        return [str(self.java), logging, "-Djava.net.preferIPv4Stack=true", "-cp", f"{self.jars}/*"]

    def _format(self) -> None:
        command = [*self._java(), "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._properties)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            last = (done.stderr + done.stdout).strip().splitlines()[-1:]
            raise UnavailableError(f"Kafka could not format {self.state}: {last}", field="kafka", fix="./rapport reset")


def answers_metadata(address: str, timeout_s: float = 1.0) -> bool:
    """True if the broker at `address` lists at least one live broker.

    A plain connection proves too little: the port is open seconds before requests are served. Written out by hand
    (Metadata v1, no topics) so that it can be asked from any thread, with or without an event loop.
    """
    host, _, port = address.split(",", maxsplit=1)[0].rpartition(":")
    request = struct.pack(">hhih", 3, 1, 1, -1) + struct.pack(">i", 0)
    try:
        with socket.create_connection((host, int(port)), timeout_s) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = b""
            while len(answer) < 12:
                part = connection.recv(64)
                if not part:
                    return False
                answer += part
    except (OSError, ValueError):
        return False
    (brokers,) = struct.unpack(">i", answer[8:12])
    return bool(brokers > 0)
