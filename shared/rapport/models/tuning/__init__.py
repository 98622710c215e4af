"""Classifiers of text fitted on examples: a head on the encoder as it is, or the encoder fine-tuned along."""
