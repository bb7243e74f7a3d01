"""What claims are judged by: the runs and examples that were measured, and the look into them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from advprune.analysis.comparison import Interval
from advprune.analysis.metrics import METRICS
from advprune.plan.config import Config
from advprune.spec.methods import METHODS
from advprune.spec.runs import share_text

ROBUST = "robust_accuracy"
# How much of the natural accuracy an adversary takes.
GAP = "natural_less_robust"
CLAIMABLE = [*METRICS, ROBUST, GAP]
PRUNED = "below 1"
ALL_DATA = "1.0"


class NotMeasuredError(Exception):
    """What a quantity needs is not there; the message says what."""


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        interval: value and 95% interval, in the quantity's own unit.
        n: how many runs (or examples, for correlations) of each group.
        groups: the groups' single values, where groups are compared, else empty.
    """

    interval: Interval
    n: tuple[int, ...]
    groups: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """All that claims are checked against; None where a part was not made.

    Attributes:
        config: the config that ran.
        runs: the table of all runs.
        correlations: the table of correlations, a row a network.
        embedding: Figure 2's examples, with columns x, y, label, kept.
        toy: the table of appendix C.
        robust_metric: the column that stands for the paper's "AutoAttack accuracy".
    """

    config: Config
    runs: pd.DataFrame
    correlations: pd.DataFrame | None
    embedding: pd.DataFrame | None
    toy: pd.DataFrame | None
    robust_metric: str

    def values(self, study: str, cell: "Cell", metric: str) -> pd.DataFrame:
        """A metric of the runs of a cell: a row a seed, a column a p.

        Raises:
            NotMeasuredError: there is none.
        """
        method = "full" if cell.p == ALL_DATA and cell.method != "standard" else cell.method
        rows = self.at_first_epoch(study, metric)
        rows = rows[rows["method"] == method]
        rows = rows[rows["p"] != ALL_DATA] if cell.p == PRUNED else rows[rows["p"] == cell.p]
        if rows["value"].isna().all():
            raise NotMeasuredError(f"there is no run of {method} at p = {cell.p}")
        return rows.pivot_table(index="seed", columns="p", values="value")

    def at_first_epoch(self, study: str, metric: str) -> pd.DataFrame:
        """Method, p, seed and the metric's value of all runs of a study with e = 1."""
        dataset = self.config["studies"][study]["dataset"]
        rows = self.runs[(self.runs["dataset"] == dataset) & (self.runs["e"] == 1)]
        if metric == GAP:
            values = rows["natural_accuracy"] - rows[self.robust_metric]
        else:
            values = rows[self.robust_metric if metric == ROBUST else metric]
        return rows[["method", "p", "seed"]].assign(value=values)


@dataclass(frozen=True)
class Cell:
    """The runs of one method at one p, or at every p below 1; always pruned at e = 1."""

    method: str
    p: str

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> "Cell":
        """From a claim: p is a number there, or the words "below 1".

        Raises:
            ValueError: the method is unknown.
        """
        p = content["p"]
        return cls(known_method(content["method"]), p if p == PRUNED else share_text(p))


def known_method(name: str) -> str:
    """A method's name, if it is one.

    Raises:
        ValueError: it is unknown.
    """
    if name not in METHODS:
        raise ValueError(f"method {name!r} is unknown; known are {', '.join(METHODS)}")
    return name
