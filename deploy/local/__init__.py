"""The embedded stack: real servers and every process of Rapport on one machine, without containers."""
