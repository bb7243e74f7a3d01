"""How accurate a trained network is, on natural and on attacked images."""
