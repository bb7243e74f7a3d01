"""RS+FGSM adversarial training with data pruning (Algorithm 1)."""
