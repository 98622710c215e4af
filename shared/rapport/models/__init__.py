"""Loading encoders, classifiers and language models; the named sets; preparing them once on a machine."""
