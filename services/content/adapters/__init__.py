"""The content service's ports on the model worker and Redis."""
