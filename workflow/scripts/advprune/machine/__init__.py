"""The device, whose turn it is on it, and what made a number."""
