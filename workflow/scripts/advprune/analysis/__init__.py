"""From the files of single runs to numbers."""
