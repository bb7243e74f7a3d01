"""Which test images are attacked, where not all are: a random sample, the same for every run."""

import numpy as np


def balanced_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """All examples in an order of which every beginning is a class-balanced random sample.

    So a sample of more examples contains one of fewer. The first examples of a published test set
    are no such sample: one network withstood PGD on 88.7% of MNIST's first 5,000 test images and
    on 94.4% of its last.

    Args:
        labels: (n,) the classes.
        seed: of the order.

    Returns:
        (n,) int64, indices. Of its first m, as many are of each class, give or take one, as long as
        no class is used up.
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    rank = np.empty(len(labels), dtype=np.int64)  # of each among those of its class
    for value in np.unique(labels):
        of_class = labels[shuffled] == value
        rank[of_class] = np.arange(of_class.sum())
    return shuffled[np.argsort(rank, kind="stable")]
