"""Both benches of the model workers, one after the other, each in a process of its own so that neither finds the
other's threads and memory; tables, plots and goals go to `--out`.

    python -m tests.bench.serving [--out FOLDER] [--count 300] [--rounds 2] [--tokens 48]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=str(Path("/tmp/rapport-bench-serving")))
    parser.add_argument("--count", default="300", help="texts of each set to embed")
    parser.add_argument("--rounds", default="2", help="of each encoder; the best counts")
    parser.add_argument("--tokens", default="48", help="of each text to write")
    asked = parser.parse_args()
    for bench, arguments in (
        ("encoders", ["--count", asked.count, "--rounds", asked.rounds]),
        ("generation", ["--grpc", "--tokens", asked.tokens]),
    ):
        # As the launcher and the images set it for workers: helpers that spin between two products take the cores from
        # whatever else runs, peers and ours alike.
        environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
        command = [sys.executable, "-m", f"tests.bench.serving.{bench}", "--out", asked.out, *arguments]
        if code := subprocess.call(command, env=environment):
            sys.exit(code)


if __name__ == "__main__":
    main()
