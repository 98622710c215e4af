"""What was learned from the shop's data, as it serves: item–item weights, factors, the sequence model's recall, the
ranker. Reads versions from the registry; trains nothing."""
