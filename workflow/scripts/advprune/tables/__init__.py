"""The tables: one module each, named after it."""
