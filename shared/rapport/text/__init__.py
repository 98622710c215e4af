"""Language id, normalisation, tokens and sentences, for English and Chinese."""
