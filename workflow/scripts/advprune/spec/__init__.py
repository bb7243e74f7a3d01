"""What a run is, and all that can be named in its specification. Loads no NumPy, no PyTorch."""
