"""The profiler's analyst, a process of its own beside the event path: findings, and models fitted on schedule."""
