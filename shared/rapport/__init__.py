"""What every Rapport service stands on. Knows no service."""
