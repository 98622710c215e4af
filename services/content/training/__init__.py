"""Fine-tuning the copywriter's language model on the shop's own copy."""
