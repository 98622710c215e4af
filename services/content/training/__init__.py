"""Fine-tuning the copywriter's language model on the shop's own copy."""

COPYWRITER = "copywriter"
"""The name of the LoRA adapter: in the registry, on models.v1, in the worker, and in what is asked of it."""
