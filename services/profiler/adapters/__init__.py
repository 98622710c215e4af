"""The ports' real sides: Redis, the model worker, the keyed state, the catalogue topic."""
