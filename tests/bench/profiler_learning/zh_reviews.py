"""Sentiment of Chinese shop reviews: accuracy on zh-online-shopping-10-cats, 80/20 stratified, seed 0.

    python -m tests.bench.profiler_learning.zh_reviews [--data FOLDER] [--method head|words|full|lora] [--minutes 40]

Protocol: the 62,773 reviews with text; scikit-learn's train_test_split(test_size=0.2, stratify=label, random_state=0);
what is fitted sees the 80 % only (a part of it is set aside for stopping early); accuracy on the 20 %. `head`: logistic
regression on the vectors of the encoder as it is, on at most `--train` reviews; `words`: the texts' n-grams beside it.
Peer measured by the data's keeper with the same split: characters 1- to 3-gram TF-IDF and a linear SVM, 0.938.
"""

from __future__ import annotations

import argparse
import csv
import io
import time
import zipfile
from pathlib import Path

from rapport.models.tuning.examples import Example
from rapport.models.tuning.learning import learn
from rapport.models.tuning.recipe import Recipe
from rapport.ops.settings import Settings
from tests.bench.figures import report
from tests.bench.profiler_learning.data import folder_of

_NAMES = {"0": "negative", "1": "positive"}


def reviews(folder: Path) -> list[Example]:
    with zipfile.ZipFile(folder / "online_shopping_10_cats.zip") as archive:
        text = archive.read(archive.namelist()[0]).decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text))
    return [Example(_NAMES[row["label"]], row["review"].strip()) for row in rows if (row["review"] or "").strip()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--method", choices=("head", "words", "full", "lora"), default="head")
    parser.add_argument("--train", type=int, default=0, help="use so many of the 80 %% only; 0: all")
    parser.add_argument("--test", type=int, default=0, help="score so many of the 20 %% only; 0: all")
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--layers", type=int, default=0)
    parser.add_argument("--window", type=int, default=96)
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    from sklearn.model_selection import train_test_split

    found = reviews(folder_of("zh-online-shopping-10-cats", given.data))
    train, test = train_test_split(found, test_size=0.2, stratify=[each.label for each in found], random_state=0)
    train, test = train[: given.train or None], test[: given.test or None]
    began = time.monotonic()
    recipe = Recipe(
        given.method, epochs=given.epochs, layers=given.layers, minutes=given.minutes, patience=4, window=given.window
    )
    learned = learn("sentiment", train, test, recipe, Settings.load(), lambda line: print(line, flush=True))
    scores = learned.scores
    row = {"method": learned.head.model.revision, "tested": len(test), "minutes": (time.monotonic() - began) / 60}
    figures = {"accuracy": round(scores.accuracy, 4), "macro F1": round(scores.macro_f1, 4)}
    report(__doc__ or "", [row | figures | {"calibration error": round(scores.calibration_error, 4)}], given.json)


if __name__ == "__main__":
    main()
