"""Benches of the profiler's online half."""
