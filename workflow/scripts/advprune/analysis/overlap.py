"""What pruning keeps and drops: of which classes, and whether two runs drop the same examples."""

import numpy as np


def class_shares(labels: np.ndarray) -> np.ndarray:
    """The share of each class, in [0, 1].

    Args:
        labels: (n,) the classes.

    Returns:
        (classes,); classes are counted from 0 to the greatest label.
    """
    return np.bincount(labels) / len(labels)


def class_mix(kept: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The share of each class in what is kept, in [0, 1].

    Args:
        kept: (n,) bool.
        labels: (n,) the classes.

    Returns:
        (classes,), as `class_shares` of all labels has them.
    """
    return np.bincount(labels[kept], minlength=labels.max() + 1) / kept.sum()


def total_variation(first: np.ndarray, second: np.ndarray) -> float:
    """How far two class mixes are apart: the share that would have to be of another class.

    Args:
        first: (classes,) shares that sum to 1.
        second: (classes,) the same of the other.

    Returns:
        in [0, 1]; 0 for equal mixes.
    """
    return float(np.abs(first - second).sum() / 2)


def common_share(first: np.ndarray, second: np.ndarray) -> float:
    """Of the examples that two runs drop, the share that both drop.

    Two that each drop a share of 1 - p at random have 1 - p of it in common.

    Args:
        first: (n,) bool, what one keeps.
        second: (n,) bool, what the other keeps.

    Returns:
        in [0, 1]; of the mean of the two counts, which rounding may set one apart.
    """
    return float(common_shares(np.stack([first, second]))[0, 1])


def common_shares(kept: np.ndarray) -> np.ndarray:
    """`common_share` of every two of several runs.

    Args:
        kept: (runs, n) bool, what each keeps; every run drops something.

    Returns:
        (runs, runs).
    """
    # Float32 counts up to 2**24 exactly, and is multiplied many times as fast as whole numbers.
    dropped = (~kept).astype(np.float32)
    common = (dropped @ dropped.T).astype(float)
    count = common.diagonal()
    return 2 * common / (count[:, None] + count[None, :])
