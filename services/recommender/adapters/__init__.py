"""The ports' real sides: Redis, the item index, the queue of products to embed."""
