"""What the paper says, and whether the numbers bear it out."""
