"""Models of the profiler, as the registry calls them."""

TASTE, TYPE = "segments-taste", "segments-type"
LIFETIME = "lifetime"
