"""Other people's documents for the same wish, as intents; the kinds do not know each other."""
