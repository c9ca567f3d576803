"""What several commands show, and how: for people and for scripts."""
