"""One module a group of paths; each builds a router over the ports that it needs."""
