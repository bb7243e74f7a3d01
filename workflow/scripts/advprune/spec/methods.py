"""The pruning methods that can be named: a side of the ordering by distance, and a proxy for it.

To add one, write a function from an ordering to what is kept, as in `training.pruning`, and enter
it in `METHODS`: the grid, the figures, their legends and the tests take it up from there.
"""

from dataclasses import dataclass

PROXIES = {"loss": "Loss", "deepfool": "DeepFool"}


@dataclass(frozen=True)
class PruningMethod:
    """How a run treats its training data.

    Attributes:
        strategy: what it drops, in the paper's words; methods that share it share a colour.
        proxy: what estimates the distance: a name in `PROXIES`, or None if nothing must.
        select: where the function is that takes the examples' indices ordered from the nearest to
            the farthest, how many to keep, and a generator, and returns the kept indices. None if
            the method never prunes.
        drops: the end at which it drops: ``"near"``, ``"far"`` or ``"both"``; None for neither.
        adversarial: whether the network is trained on adversarial images at all.
    """

    strategy: str
    proxy: str | None
    select: str | None
    drops: str | None = None
    adversarial: bool = True

    @property
    def both_ends(self) -> bool:
        """Whether it drops at both ends, so that there may be an odd one out."""
        return self.drops == "both"

    @property
    def label(self) -> str:
        """Its name in figures and tables."""
        return f"{self.strategy} ({PROXIES[self.proxy]})" if self.proxy else self.strategy


def _by_distance(proxy: str) -> dict[str, PruningMethod]:
    code = "advprune.training.pruning:drop_"
    return {
        f"low-{proxy}": PruningMethod("Low distance", proxy, code + "nearest", "near"),
        f"high-{proxy}": PruningMethod("High distance", proxy, code + "farthest", "far"),
        f"lowhigh-{proxy}": PruningMethod("Low+high distance", proxy, code + "both_ends", "both"),
    }


METHODS: dict[str, PruningMethod] = {
    "full": PruningMethod("None", None, None),
    "standard": PruningMethod("No adversary", None, None, adversarial=False),
    "random": PruningMethod("Random", None, "advprune.training.pruning:drop_at_random"),
    **_by_distance("loss"),
    **_by_distance("deepfool"),
}
