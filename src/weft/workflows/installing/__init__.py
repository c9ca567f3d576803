"""Putting weft into a cluster, and taking it out again."""
