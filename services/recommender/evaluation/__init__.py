"""How good recommendations are: splits, full ranking, figures with intervals."""
