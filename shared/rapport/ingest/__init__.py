"""Reading a shop's files (CSV, JSON lines, Parquet) into events, with a report of what was refused and why."""
