"""What the chatbot knows and decides, in plain Python and numpy."""
