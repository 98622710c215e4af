"""What `./rapport import` says of a file before it sends anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.cli.importing import What, run


@pytest.mark.parametrize(("columns", "said"), [([], True), (["at=when"], False)])
def test_a_history_without_times_is_not_taken_in_silently(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], columns: list[str], said: bool
) -> None:
    (tmp_path / "looks.csv").write_text("customer_id,product_id,when\nc-1,p-1,2026-03-01T10:00:00Z\n")
    run(What.EVENTS, tmp_path / "looks.csv", event="product_viewed", columns=columns, dry_run=True)
    assert ("no column gives the time" in capsys.readouterr().err) is said
