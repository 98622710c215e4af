"""Which kinds of customers there are, and who belongs to which."""
