"""The table says of each process what was last known of it."""

from __future__ import annotations

from rich.console import Console

from deploy.cli.table import process_table
from deploy.local.record import Entry, Record
from deploy.local.supervisor_client import Info


def test_who_answered_is_ready_unless_it_ended_since() -> None:
    # Nothing listens at these addresses: the table itself asks nobody.
    names = ("gateway", "recommender", "chatbot", "demo")
    record = Record("embedded", "", tuple(Entry(name, 3, "", "http://127.0.0.1:9/health/ready") for name in names))
    states = {name: Info(name, "EXITED" if name == "chatbot" else "RUNNING", 0, 0, "") for name in names}
    table = process_table(record, states, {"gateway", "recommender", "chatbot"})
    with (console := Console(width=100)).capture() as said:
        console.print(table)
    rows = {line.split()[0]: line.split()[1] for line in said.get().splitlines()[1:]}
    assert rows == {"gateway": "ready", "recommender": "ready", "chatbot": "dead", "demo": "starting"}
