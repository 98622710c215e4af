"""The content service: words that sell and stand up."""
