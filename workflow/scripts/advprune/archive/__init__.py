"""Finished runs in few bytes, to be committed, and put back where the workflow looks for them."""
