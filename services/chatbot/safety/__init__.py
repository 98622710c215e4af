"""Rails: what is not taken in, and what does not go out."""
