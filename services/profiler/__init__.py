"""Who each customer is, and what they need now."""
