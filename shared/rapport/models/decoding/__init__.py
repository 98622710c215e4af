"""A language model run by torch, many texts at once: one row of the cache for each, one forward pass for all."""
