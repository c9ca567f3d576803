"""Other people's documents for the same wish, to and from an intent. They do not know each other."""
