"""The options that several commands have, and what each of them means."""
