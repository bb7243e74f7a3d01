"""The figures: one module each, named after it."""
