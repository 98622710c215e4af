"""What to show each customer, and why."""
