"""Kafka: consuming, producing, dead letters, replay, lag and stall watching."""
