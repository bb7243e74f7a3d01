"""Toy problems: figure 1's in the plane, and appendix C's of robust and fragile features."""
