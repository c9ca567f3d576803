"""Tables that several tests go through."""
