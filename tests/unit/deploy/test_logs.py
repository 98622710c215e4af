"""Following a log that grows and is rotated loses and repeats no line."""

from __future__ import annotations

from pathlib import Path

from deploy.cli.logs import Tail


def test_the_last_lines_then_only_new_ones(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("1\n2\n3\n")
    tail = Tail(log)
    assert tail.last(2) == ["2", "3"]
    assert tail.new() == []
    with log.open("a") as file:
        file.write("4\n5")
        file.flush()
        assert tail.new() == ["4"]
        file.write("5\n")
    assert tail.new() == ["55"]


def test_a_rotated_log_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("old\n")
    tail = Tail(log)
    tail.last(1)
    log.rename(tmp_path / "a.log.1")
    assert tail.new() == []
    log.write_text("new and longer\n")
    assert tail.new() == ["new and longer"]
