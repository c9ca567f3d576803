"""What an author does to trust a filter: run its scenarios, and report."""
