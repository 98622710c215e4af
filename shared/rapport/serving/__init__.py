"""Model-worker runtime and gRPC for every process: server, clients, batching, generation, health, dummy backend."""
