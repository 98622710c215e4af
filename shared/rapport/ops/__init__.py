"""Settings, logging, metrics, tracing, health, life cycle, and the drawn error tree."""
