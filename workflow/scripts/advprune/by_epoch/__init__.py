"""A run trained once more, and attacked after every epoch."""
