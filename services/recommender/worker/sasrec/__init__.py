"""Self-attentive sequential recommendation (Kang and McAuley 2018, arXiv:1808.09781): the next item of a sequence."""
