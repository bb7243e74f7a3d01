"""Files that are whole or absent, and read back only if unchanged."""
