"""From what a user wants of a filter to what a target is told."""
