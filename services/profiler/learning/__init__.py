"""What is learned while events come in, and what is computed from models that were fitted before."""
