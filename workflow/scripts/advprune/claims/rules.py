"""A rule turns estimates into a decision that errs in at most 5% of cases.

* REPRODUCED: a test at the 5% level rejects that the claim is false;
* DIFFERS: a test at the 5% level rejects that the claim is true;
* UNDERPOWERED: neither.

`estimates` has what is judged: arrays of repetitions are judged as single experiments are.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import scipy

from advprune.analysis.statistics import COLLAPSE_BELOW
from advprune.claims.estimates import ALPHA, Estimate, Judged, Numbers
from advprune.claims.spreads import Share


class Verdict(StrEnum):
    """What the runs say of a claim."""

    REPRODUCED = "REPRODUCED"
    DIFFERS = "DIFFERS"
    UNDERPOWERED = "UNDERPOWERED"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True)
class Decision:
    """What a rule says; a bool each, or an array of repetitions.

    Attributes:
        reproduced, differs: whether the verdict is that; never both.
        low, high: what the runs leave open, at the 5% level on either side.
        claim, contrary: where REPRODUCED and DIFFERS lie, in words.
        flaw: why there is no verdict, if that is so whatever the runs say.
        p_for, p_against: the p values of the claim being false and of its being true.
    """

    reproduced: Numbers
    differs: Numbers
    low: Numbers
    high: Numbers
    claim: str
    contrary: str
    flaw: str = ""
    p_for: Numbers = 1.0
    p_against: Numbers = 1.0

    @property
    def verdict(self) -> Verdict:
        """The verdict on a single experiment."""
        if self.reproduced:
            return Verdict.REPRODUCED
        return Verdict.DIFFERS if self.differs else Verdict.UNDERPOWERED

    @property
    def reason(self) -> str:
        """Why a single experiment has its verdict."""
        if self.flaw:
            return self.flaw
        found = f"{self.low:.4g} to {self.high:.4g} (5% error at either end)"
        if self.reproduced:
            return f"{found} is {self.claim}"
        if self.differs:
            return f"{found} is {self.contrary}"
        return f"{found} is neither {self.claim} nor {self.contrary}"


def within(estimate: Estimate, margin: float, *, beyond: float = 0.0) -> Decision:
    """Equivalence: a difference from what is printed, or of two methods, is within ± margin.

    REPRODUCED by two one-sided tests (TOST). DIFFERS by a two-sided test that the difference is
    farther from 0 than ``beyond``, unless REPRODUCED: a difference may be certain and small.

    Args:
        estimate: of the difference.
        margin: in its unit, above 0.
        beyond: up to where the claim holds exactly: half a unit of the last printed digit, or the
            margin where nothing is printed and "similar" is all that is said.
    """
    p_for = np.maximum(estimate.p_above(-margin), estimate.p_below(margin))
    p_against = np.minimum(1, 2 * np.minimum(estimate.p_above(beyond), estimate.p_below(-beyond)))
    words = f"within ± {margin:g}", f"off 0 by more than {beyond:g}"
    return _decision(estimate, p_for, p_against, *words)


def above(estimate: Judged, bound: float = 0.0) -> Decision:
    """Direction: the truth is above a bound, by a one-sided test; DIFFERS by the opposite one."""
    words = f"above {bound:.4g}", f"below {bound:.4g}"
    return _decision(estimate, estimate.p_above(bound), estimate.p_below(bound), *words)


def below(estimate: Judged, bound: float = 0.0) -> Decision:
    """Direction: the truth is below a bound, by a one-sided test; DIFFERS by the opposite one."""
    found = above(estimate, bound)
    return replace(
        found,
        reproduced=found.differs,
        differs=found.reproduced,
        claim=found.contrary,
        contrary=found.claim,
        p_for=found.p_against,
        p_against=found.p_for,
    )


def no_loss(estimate: Estimate, tolerance: float, reference: Estimate) -> Decision:
    """Non-inferiority: a mean is at most ``tolerance`` below another.

    Where the other may itself be no higher than the tolerance there is nothing to lose: nothing is
    then REPRODUCED, as when every run collapses.

    Args:
        estimate: of the mean less the one it is not to fall short of.
        tolerance: in points, above 0.
        reference: of the mean not to fall short of.
    """
    found = above(estimate, -tolerance)
    nothing_to_lose = reference.p_above(tolerance)
    words = f"the reference may be below {tolerance:g} itself"
    found = only_where(found, nothing_to_lose <= ALPHA, words)
    return replace(found, p_for=np.maximum(found.p_for, nothing_to_lose))


def only_where(decision: Decision, premise: Numbers, otherwise: str) -> Decision:
    """The decision with REPRODUCED only where what the claim presupposes is so."""
    missing = np.logical_and(decision.reproduced, np.logical_not(premise))
    flaw = otherwise if np.ndim(missing) == 0 and missing else decision.flaw
    return replace(
        decision,
        reproduced=np.logical_and(decision.reproduced, premise),
        flaw=flaw,
        p_for=np.where(premise, decision.p_for, 1.0),
    )


def most_work(robust: np.ndarray) -> Numbers:
    """Whether it is shown that fewer than half of the runs of a method collapse.

    The premise of a claim on reliability, or on what robustness costs: without it, runs that all
    fail would be the most reliable.

    Args:
        robust: (..., n) accuracies under attack, percent.
    """
    collapsed = (robust < COLLAPSE_BELOW).sum(axis=-1)
    return scipy.stats.binom.cdf(collapsed, robust.shape[-1], 0.5) <= ALPHA


def share_above(successes: Numbers, n: int, bound: float) -> Decision:
    """A share of runs is above a bound, by exact binomial tests (Clopper and Pearson 1934).

    Args:
        successes: how many of ``n`` runs.
        n: runs.
        bound: a share in (0, 1).
    """
    found = above(Share(successes, n), 100 * bound)
    words = {"claim": f"above {bound:.4g}", "contrary": f"below {bound:.4g}"}
    return replace(found, low=found.low / 100, high=found.high / 100, **words)


def all_or_most(p_for: np.ndarray, p_against: np.ndarray, *, most: bool) -> Decision:
    """A claim about several cells, such as every p below 1, holds in all of them, or in most.

    Partial conjunction (Benjamini and Heller 2008) with Bonferroni's bound, valid however the
    cells depend on each other. For all cells it is the intersection-union test.

    Args:
        p_for: (cells, ...) the p value of the claim being false in a cell, from `Estimate`.
        p_against: (cells, ...) the p value of its being true there.
        most: whether more than half are enough.
    """
    cells = len(p_for)
    needed = cells // 2 + 1 if most else cells
    return Decision(
        _at_least(p_for, needed),
        _at_least(p_against, cells - needed + 1),
        (p_for <= ALPHA).sum(axis=0),
        cells - (p_against <= ALPHA).sum(axis=0),
        f"at least {needed} of {cells}",
        f"fewer than {needed} of {cells}",
    )


def _at_least(p_values: np.ndarray, needed: int) -> Numbers:
    """Whether it is shown, at the 5% level, that ``needed`` null hypotheses are false."""
    smallest = np.sort(p_values, axis=0)
    return (len(p_values) - needed + 1) * smallest[needed - 1] <= ALPHA


def _decision(
    estimate: Judged, p_for: Numbers, p_against: Numbers, claim: str, contrary: str
) -> Decision:
    """REPRODUCED comes first, since a difference may be certain and small."""
    flaw = estimate.flaw
    if np.ndim(estimate.varied) == 0 and not estimate.varied:
        flaw = flaw or "no run differs from another"
    reproduced = p_for <= ALPHA
    differs = np.logical_and(p_against <= ALPHA, np.logical_not(reproduced))
    limits = estimate.low(), estimate.high()
    return Decision(reproduced, differs, *limits, claim, contrary, flaw, p_for, p_against)
