"""Images and artifacts on the move: the local store, registries, archives."""
