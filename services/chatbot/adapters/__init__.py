"""The chatbot's ports, on Redis, gRPC and Kafka."""
