"""The HTTP edge: the collector, the query APIs as JSON, chat as server-sent events, and the status page."""
