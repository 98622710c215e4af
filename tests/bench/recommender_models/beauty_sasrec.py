"""Trains the sequence model for `beauty`: `python -m tests.bench.recommender_models.beauty_sasrec FOLDER`.

Fitted on all but the last two items of each user, ended by NDCG@10 (full ranking) on the last but one; the test item is
never looked at. One thread; some ten minutes of processor time.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from services.recommender.evaluation.splits import leave_one_out
from services.recommender.training.sequence import fit_net, plan_for
from services.recommender.worker.sasrec.store import save
from tests.bench.recommender_models.datasets import DATA, beauty


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--threads", type=int, default=1)
    wanted = parser.parse_args()
    split = leave_one_out(beauty(wanted.data).distinct())
    began, cpu = time.monotonic(), time.process_time()
    model, epochs = fit_net(split, plan_for(split.train, wanted.epochs), print, wanted.threads)
    save(model, split.train.items, wanted.folder)
    print(
        f"best after {epochs} epochs; {time.monotonic() - began:.0f} s, {time.process_time() - cpu:.0f} s of processor"
    )


if __name__ == "__main__":
    main()
