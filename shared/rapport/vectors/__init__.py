"""Embeddings and serving copies in Redis, and vector search behind one port."""
