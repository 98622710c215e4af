"""Writes `clinc150` as files for `./rapport train intents`: see README.md."""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from pathlib import Path

from services.chatbot.domain.reading import OUT_OF_SCOPE

Rows = list[tuple[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--shots", type=int, default=0, help="training sentences of each intent; 0: all 100")
    parser.add_argument("--oos", action="store_true", help="the 100 out-of-scope training sentences too (oos-train)")
    told = parser.parse_args()
    file = told.data / "clinc150" / "data_full.json"
    if not file.is_file():
        parser.exit(1, f"{file} is not there: give the folder of the data sets with --data\n")
    read = json.loads(file.read_text(encoding="utf-8"))
    told.out.mkdir(parents=True, exist_ok=True)
    train = few(read["train"], told.shots) if told.shots else read["train"]
    write(told.out / "train.jsonl", [*train, *(read["oos_train"] if told.oos else [])])
    write(told.out / "validation.jsonl", [*read["val"], *read["oos_val"]])
    write(told.out / "test.jsonl", [*read["test"], *read["oos_test"]])


def few(rows: Rows, shots: int) -> Rows:
    """So many of each intent, by lot."""
    of: dict[str, Rows] = defaultdict(list)
    for text, intent in rows:
        of[intent].append((text, intent))
    dice = random.Random(0)
    return [row for intent in sorted(of) for row in dice.sample(of[intent], shots)]


def write(file: Path, rows: Rows) -> None:
    lines = [{"text": text, "intent": OUT_OF_SCOPE if intent == "oos" else intent} for text, intent in rows]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
