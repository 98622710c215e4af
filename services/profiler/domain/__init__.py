"""What a profile is made of and how an event changes it. Plain Python and numpy; times are epoch milliseconds."""
