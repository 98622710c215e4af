"""The edge's ports on gRPC and Kafka."""
