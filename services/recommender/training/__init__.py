"""Models learned from a shop's behaviour: reading it, fitting, judging, publishing a version."""
