"""Quantities of single networks' examples, of the toy model, and checks of the experiment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from advprune.analysis.correlation import FEW_STEPS
from advprune.analysis.verdict_table import runs_named_in
from advprune.claims.estimates import Estimate, difference, known, mean_of, printed
from advprune.claims.evidence import Evidence
from advprune.claims.measured import (
    Comparison,
    Found,
    Measured,
    NotMeasuredError,
    Quantity,
)
from advprune.plan.config import STUDIES
from advprune.plan.grid import experiment_runs
from advprune.toy.features import QUANTITIES as TOY_QUANTITIES

PAPERS_FORMULA = "paper_value"


@dataclass(frozen=True)
class ScoreCorrelation(Quantity):
    """Pearson's r between loss and 1/d, within 1/d <= 2 (Figure 6)."""

    @property
    def unit(self) -> str:
        """Of what is measured, for axes."""
        return "Pearson's r"

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The mean over networks."""
        return _mean(_by_network(evidence, study, "r_within"))


@dataclass(frozen=True)
class CorrelationDifference(Quantity):
    """MNIST's r less CIFAR10's (Figure 6)."""

    studies = 2

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The difference of the means over networks."""
        return _apart(*(_by_network(evidence, name, "r_within") for name in STUDIES))


@dataclass(frozen=True)
class DeepFoolWithin(Quantity):
    """The percentage of examples that DeepFool moves to another class in so many steps."""

    iterations: int

    def __post_init__(self) -> None:
        if self.iterations != FEW_STEPS:
            raise ValueError(f"the table of correlations counts {FEW_STEPS} iterations alone")

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The mean over networks."""
        return _mean(_by_network(evidence, study, "moved_in_few_steps_percent"))


@dataclass(frozen=True)
class DroppedOverlap(Quantity):
    """Of what the loss would drop at Table 1's p, the percentage that the distance drops too.

    Both are taken at one moment, as for Figure 6: section 3.2 refers to section 4.3 for it.
    """

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The mean over networks."""
        return _mean(_by_network(evidence, study, "dropped_in_common_percent"))


@dataclass(frozen=True)
class DroppedOverlapDifference(Quantity):
    """The same of MNIST less that of CIFAR10."""

    studies = 2

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The difference of the means over networks."""
        return _apart(
            *(_by_network(evidence, name, "dropped_in_common_percent") for name in STUDIES)
        )


@dataclass(frozen=True)
class SilhouetteGain(Quantity):
    """How much better the classes are apart in Figure 2 once it is pruned.

    The mean silhouette of the kept examples among themselves less that of all examples.
    """

    settings = ("figure2",)

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The mean over the seeds of the scores that examples are pruned by."""
        if evidence.embedding is None:
            raise NotMeasuredError("Figure 2 was not made")
        table = evidence.embedding
        by_seed = table.columns[table.columns.str.startswith("kept_seed_")]
        if by_seed.empty:
            raise NotMeasuredError("Figure 2 was made without the seeds of the scores")
        whole = silhouette_of(table[["x", "y"]].to_numpy(), table["label"].to_numpy())
        gains = []
        for name in by_seed:
            part = table[table[name]]
            if not 1 < part["label"].nunique() < len(part):
                raise NotMeasuredError("pruning leaves fewer than two classes in Figure 2's sample")
            kept = silhouette_of(part[["x", "y"]].to_numpy(), part["label"].to_numpy())
            gains.append(kept - whole)
        return _mean(np.array(gains))


def silhouette_of(positions: np.ndarray, labels: np.ndarray) -> float:
    """The mean silhouette of the examples at (n, 2) positions."""
    from sklearn.metrics import silhouette_samples  # slow to import, and this module often is

    return float(silhouette_samples(positions, labels).mean())


@dataclass(frozen=True)
class Toy(Quantity):
    """A simulated quantity of appendix C's toy model, in percent, or its excess over another.

    It is about no study.

    Attributes:
        of: the quantity's name in ``tables/appendix_c.csv``.
        less: another one's name, or ``"paper_value"`` for what the paper's formula gives; None for
            the quantity itself.
    """

    studies = 0
    settings = ("appendix_c",)

    of: str
    less: str | None = None

    def __post_init__(self) -> None:
        for name, allowed in (
            (self.of, [*TOY_QUANTITIES]),
            (self.less, [*TOY_QUANTITIES, PAPERS_FORMULA, None]),
        ):
            if name not in allowed:
                names = ", ".join(filter(None, allowed))
                raise ValueError(f"the toy model has no quantity {name!r}; known are {names}")

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The mean over simulations, each of thousands of points and so nearly normal."""
        if evidence.toy is None:
            raise NotMeasuredError("the table of appendix C was not made")
        rows = evidence.toy.set_index("quantity")
        estimate = _simulated(rows.loc[self.of])
        if self.less == PAPERS_FORMULA:
            estimate = estimate.minus(known(float(rows.loc[self.of, "paper_value"])))
        elif self.less:
            estimate = estimate.minus(_simulated(rows.loc[self.less]))
        return Measured([Found(estimate)], (int(rows.loc[self.of, "seeds"]),))


@dataclass(frozen=True)
class OfConfig(Quantity):
    """A part of a study's config: all of a mapping, or one number.

    Of an experiment's seeds, how many have all their runs: in a partial run not all do.
    """

    is_check = True
    of: str

    def measure(self, evidence: Evidence, study: str) -> Comparison:
        """What the config has.

        Raises:
            NotMeasuredError: it does not have that.
        """
        part: Any = evidence.config["studies"][study]
        *way, last = self.of.split(".")
        for name in way:
            part = part.get(name, {})
        if last not in part:
            raise NotMeasuredError(f"the config has no {self.of}")
        return Comparison(
            _complete_seeds(evidence, study, way[-1]) if last == "seeds" else part[last]
        )


@dataclass(frozen=True)
class LargestExcess(Quantity):
    """By how much, at most, a run's one accuracy is above its other; 0 where it never is."""

    is_check = True
    metric: str
    less: str

    def measure(self, evidence: Evidence, study: str) -> Comparison:
        """Over all runs of the study.

        Raises:
            NotMeasuredError: none has both accuracies, or they are of different images.
        """
        runs = evidence.single_runs(study).dropna(subset=[self.metric, self.less])
        if runs.empty:
            raise NotMeasuredError("no run has both accuracies")
        if (runs["autoattack_examples"] != runs["single_attack_examples"]).any():
            raise NotMeasuredError("the two attacks were run on different numbers of images")
        excess = float((runs[self.metric] - runs[self.less]).max())
        return Comparison(max(excess, 0.0), len(runs))


def _complete_seeds(evidence: Evidence, study: str, experiment: str) -> int:
    """How many seeds have all the runs that an experiment asks for."""
    planned = experiment_runs(evidence.config, study, experiment)
    there = {*runs_named_in(evidence.runs)}
    return len({run.seed for run in planned} - {run.seed for run in planned if run not in there})


def _simulated(row: Mapping[str, Any]) -> Estimate:
    """A row of the table of appendix C, whose interval is t-based."""
    seeds, half_width = int(row["seeds"]), float(row["simulated_half_width"])
    if seeds < 2 or not half_width > 0:
        return mean_of(np.full(seeds, float(row["simulated_mean"])))
    return printed(float(row["simulated_mean"]), half_width, seeds)


def _mean(values: np.ndarray) -> Measured:
    return Measured([Found(mean_of(values), [values])], (len(values),))


def _apart(first: np.ndarray, second: np.ndarray) -> Measured:
    """Of two data sets, whose networks are independent."""
    estimate = difference(first, second, paired=False)
    return Measured([Found(estimate, [first, second])], (len(first), len(second)))


def _by_network(evidence: Evidence, study: str, column: str) -> np.ndarray:
    """A column of the table of correlations: a number a network."""
    if evidence.correlations is None:
        raise NotMeasuredError("the correlations of Figure 6 were not made")
    rows = evidence.correlations[evidence.correlations["study"] == study]
    values = rows[column].dropna().to_numpy()
    if not len(values):
        raise NotMeasuredError(f"the correlations of Figure 6 have no network of {study}")
    return values
