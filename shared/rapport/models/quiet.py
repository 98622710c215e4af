"""transformers without its progress bars and load reports: a worker's log is for what concerns its operator."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Inside, transformers speaks of errors only and draws no bars."""
    from transformers import utils

    logging: Any = utils.logging  # untyped
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        logging.enable_progress_bar()
