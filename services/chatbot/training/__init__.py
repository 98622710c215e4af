"""Learning intents from a shop's own examples: `./rapport train intents FILE`."""
