"""Services that run until they are told to stop."""
