"""In: bytes from files and devices. Out: flagged readings, kept for ever in a store, and their roll-ups."""
