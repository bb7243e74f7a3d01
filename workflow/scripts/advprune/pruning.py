"""Which examples to keep (Algorithm 1, lines 7 to 20).

A method is a side of the ordering by distance to drop from, and the proxy that estimates the
distance. To add one, write a function from an ordering to the kept positions and enter it in
`METHODS`: the grid, the figures, their legends and the tests take it up from there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

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
    nearest = (len(ordered) - keep) // 2  # an odd one out is dropped at the far end
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


def count_to_keep(total: int, proportion: str) -> int:
    """How many of ``total`` examples a proportion keeps: total less floor((1 - p) * total).

    The proportion is a decimal string and the arithmetic exact, so that 0.9 of 60,000 is 54,000
    and not the 54,001 that floating point makes of it.
    """
    dropped = (1 - Fraction(proportion)) * total
    return total - int(dropped)


def keep_indices(
    distance: np.ndarray, *, method: str, proportion: str, generator: np.random.Generator
) -> np.ndarray:
    """The examples that stay in the training set, in increasing order of their index.

    Args:
        distance: (n,) the estimated distance of each example from the decision boundary, larger is
            farther. Only the order matters, so the negated loss serves as well as 1/loss. NaN, the
            score of a run that diverged, counts as nearest. Equal distances are ordered by index.
        method: a name in `METHODS` that prunes.
        proportion: p, the share to keep, as a decimal string in (0, 1].
        generator: used by random pruning alone.

    Returns:
        (`count_to_keep` (n, p),) int64.
    """
    select = METHODS[method].select
    if select is None:
        raise ValueError(f"the method {method!r} never prunes")
    ordered = np.argsort(np.where(np.isnan(distance), -np.inf, distance), kind="stable")
    return np.sort(select(ordered, count_to_keep(len(distance), proportion), generator))
