"""Where candidates come from: one module a source, all of one shape (`source.Source`)."""
