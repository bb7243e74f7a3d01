"""Which examples to keep (Algorithm 1, lines 7 to 20).

A method is a side of the ordering by distance to drop from, and the proxy that estimates the
distance. To add one, write a function from an ordering to the kept positions and enter it in
`METHODS`: the grid, the figures, their legends and the tests take it up from there.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from advprune.runs import PruningSettings

Selector = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class PruningMethod:
    """How a run treats its training data.

    Attributes:
        label: the name in figures and tables, in the paper's words.
        proxy: what estimates the distance: ``"loss"``, ``"deepfool"``, or None if nothing must.
        select: takes the examples' indices ordered from the nearest to the farthest, how many to
            keep, and a generator; returns the kept indices. None if the method never prunes.
        adversarial: whether the network is trained on adversarial images at all.
    """

    label: str
    proxy: str | None
    select: Selector | None
    adversarial: bool = True


def _drop_nearest(ordered: np.ndarray, keep: int, generator: np.random.Generator) -> np.ndarray:
    return ordered[len(ordered) - keep :]


def _drop_farthest(ordered: np.ndarray, keep: int, generator: np.random.Generator) -> np.ndarray:
    return ordered[:keep]


def _drop_both_ends(ordered: np.ndarray, keep: int, generator: np.random.Generator) -> np.ndarray:
    nearest = (len(ordered) - keep) // 2  # an odd one out is dropped at the last end
    return ordered[nearest : nearest + keep]


def _drop_at_random(ordered: np.ndarray, keep: int, generator: np.random.Generator) -> np.ndarray:
    # A permutation cut short: for one generator state, a smaller p keeps a part of a larger one's.
    return generator.permutation(np.sort(ordered))[:keep]


METHODS: dict[str, PruningMethod] = {
    "full": PruningMethod("None", None, None),
    "standard": PruningMethod("No adversary", None, None, adversarial=False),
    "random": PruningMethod("Random", None, _drop_at_random),
    "low-loss": PruningMethod("Low distance (Loss)", "loss", _drop_nearest),
    "high-loss": PruningMethod("High distance (Loss)", "loss", _drop_farthest),
    "lowhigh-loss": PruningMethod("Low+high distance (Loss)", "loss", _drop_both_ends),
    "low-deepfool": PruningMethod("Low distance (DeepFool)", "deepfool", _drop_nearest),
    "high-deepfool": PruningMethod("High distance (DeepFool)", "deepfool", _drop_farthest),
    "lowhigh-deepfool": PruningMethod("Low+high distance (DeepFool)", "deepfool", _drop_both_ends),
}


def drops_both_ends(method: str) -> bool:
    """Whether a method drops at both ends, so that it may have an odd one out."""
    return METHODS[method].select is _drop_both_ends


def count_to_keep(total: int, proportion: str, rounding: str = "exact") -> int:
    """How many of ``total`` examples a proportion keeps: total less floor((1 - p) * total).

    Args:
        total: how many there are.
        proportion: p, as a decimal string.
        rounding: ``"exact"``, or ``"floating_point"`` as in the authors' released code, which makes
            0.9 of 60,000 not 54,000 but 54,001, since (1 - 0.9) * 60000 is a little below 6000.
    """
    if rounding == "floating_point":
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
            score of a run that diverged, counts as nearest. Equal distances are ordered by index.
        labels: (n,) the classes, of which each keeps its share where the settings say so.
        method: a name in `METHODS` that prunes.
        proportion: p, the share to keep, as a decimal string in (0, 1].
        settings: how to round, where to drop an odd one out, whether to balance classes.
        generator: used by random pruning alone.

    Returns:
        (m,) int64; m is `count_to_keep` (n, p), or the sum of that over the classes.
    """
    select = METHODS[method].select
    if select is None:
        raise ValueError(f"the method {method!r} never prunes")
    nearest_first = np.argsort(np.where(np.isnan(distance), -np.inf, distance), kind="stable")
    if drops_both_ends(method) and settings.odd_one == "near":
        nearest_first = nearest_first[::-1]
    groups = [nearest_first]
    if settings.class_balanced:
        groups = [nearest_first[labels[nearest_first] == label] for label in np.unique(labels)]
    kept = [
        select(ordered, count_to_keep(len(ordered), proportion, settings.rounding), generator)
        for ordered in groups
    ]
    return np.sort(np.concatenate(kept))
