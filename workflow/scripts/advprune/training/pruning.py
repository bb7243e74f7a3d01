"""Which examples to keep (Algorithm 1, lines 7 to 20); `spec.methods` names the methods."""

import math
import pkgutil
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from advprune.spec.methods import METHODS
from advprune.spec.specification import PruningSettings

Selector = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]


def drop_nearest(ordered: np.ndarray, keep: int, generator: np.random.Generator) -> np.ndarray:
    """Low distance: the share nearest to the boundary goes (line 8)."""
    return ordered[len(ordered) - keep :]


def drop_farthest(ordered: np.ndarray, keep: int, generator: np.random.Generator) -> np.ndarray:
    """High distance: the share farthest from it goes (line 11)."""
    return ordered[:keep]


def drop_both_ends(ordered: np.ndarray, keep: int, generator: np.random.Generator) -> np.ndarray:
    """Low+high distance: half of the share goes at each end (line 17)."""
    nearest = (len(ordered) - keep) // 2  # an odd one out is dropped at the last end
    return ordered[nearest : nearest + keep]


def drop_at_random(ordered: np.ndarray, keep: int, generator: np.random.Generator) -> np.ndarray:
    """Random: any share goes (line 14)."""
    # A permutation cut short: for one generator state, a smaller p keeps a part of a larger one's.
    return generator.permutation(np.sort(ordered))[:keep]


def count_to_keep(total: int, proportion: str, rounding: str = "exact") -> int:
    """How many of ``total`` examples a proportion keeps: total less floor((1 - p) * total).

    Args:
        total: how many there are.
        proportion: p, as a decimal string.
        rounding: ``"exact"``; or as in the authors' released code, in floats: ``"of_dropped"``,
            which makes 0.9 of 60,000 not 54,000 but 54,001, since (1 - 0.9) * 60000 is a little
            below 6000, or ``"of_kept"``: floor(p * total).
    """
    if rounding == "of_kept":
        return math.floor(float(proportion) * total)
    if rounding == "of_dropped":
        return total - math.floor((1 - float(proportion)) * total)
    return total - math.floor((1 - Fraction(proportion)) * total)


def keep_indices(
    distance: np.ndarray,
    labels: np.ndarray,
    *,
    method: str,
    proportion: str,
    settings: PruningSettings,
    generator: np.random.Generator,
) -> np.ndarray:
    """The examples that stay in the training set, in increasing order of their index.

    Args:
        distance: (n,) the estimated distance of each example from the decision boundary, larger is
            farther. Only the order matters, so the negated loss serves as well as 1/loss. NaN, the
            score of a run that diverged, counts as nearest. Equal distances are put in an
            order by chance: by index the same examples would go in every seed.
        labels: (n,) the classes, of which each keeps its share where the settings say so.
        method: a name in `METHODS` that prunes.
        proportion: p, the share to keep, as a decimal string in (0, 1].
        settings: how to round, where to drop an odd one out, whether to balance classes.
        generator: draws what random pruning keeps, and the order of equal distances.

    Returns:
        (m,) int64; m is `count_to_keep` (n, p), or the sum of that over the classes.
    """
    if METHODS[method].select is None:
        raise ValueError(f"the method {method!r} never prunes")
    select: Selector = pkgutil.resolve_name(METHODS[method].select)
    shuffled = (
        generator.permutation(len(distance)) if METHODS[method].proxy else np.arange(len(distance))
    )
    known = np.where(np.isnan(distance), -np.inf, distance)
    nearest_first = shuffled[np.argsort(known[shuffled], kind="stable")]
    if METHODS[method].both_ends and settings.odd_one == "near":
        nearest_first = nearest_first[::-1]
    groups = [nearest_first]
    if settings.class_balanced:
        groups = [nearest_first[labels[nearest_first] == label] for label in np.unique(labels)]
    kept = [
        select(ordered, count_to_keep(len(ordered), proportion, settings.rounding), generator)
        for ordered in groups
    ]
    return np.sort(np.concatenate(kept))
