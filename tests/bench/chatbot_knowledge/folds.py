"""`xquad-en-zh` in two halves for `./rapport train answers`: each half of the articles is learned, the other tested.

    python -m tests.bench.chatbot_knowledge.folds OUT [--data ../shared/data]

Both languages of an article lie in the same half. Every ninth article of the half that is learned is set aside to stop
and calibrate by. Writes OUT/{0,1}.{train,validate,test}.jsonl.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HALVES = 2
# Of the articles that are learned, every so-manieth is set aside.
_ASIDE = 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    told = parser.parse_args()
    told.out.mkdir(parents=True, exist_ok=True)
    lines: dict[str, list[str]] = {}
    for language in ("en", "zh"):
        file = told.data / "xquad-en-zh" / f"xquad.{language}.json"
        if not file.is_file():
            parser.exit(1, f"{file} is not there: give the folder of the data sets with --data\n")
        for number, article in enumerate(json.loads(file.read_text(encoding="utf-8"))["data"]):
            rows = [json.dumps(row, ensure_ascii=False) for row in _rows(article)]
            for half in range(_HALVES):
                lines.setdefault(f"{half}.{part(number, half)}", []).extend(rows)
    for name, listed in lines.items():
        (told.out / f"{name}.jsonl").write_text("\n".join(listed) + "\n", encoding="utf-8")
        print(name, len(listed))


def part(number: int, half: int) -> str:
    """What article `number` serves for when `half` is tested."""
    if number % _HALVES == half:
        return "test"
    return "validate" if number // _HALVES % _ASIDE == 0 else "train"


def _rows(article: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for paragraph in article["paragraphs"]:
        for one in paragraph["qas"]:
            answer = one["answers"][0]
            yield {
                "question": one["question"],
                "passage": paragraph["context"],
                "answer": answer["text"],
                "start": answer["answer_start"],
            }


if __name__ == "__main__":
    main()
