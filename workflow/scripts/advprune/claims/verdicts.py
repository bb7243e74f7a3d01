"""The paper's claims, and whether the runs bear them out.

`judge` gives a verdict on one claim. A verdict is computed from an interval or a test, by the rule
that the claim names in ``config/paper_claims.yaml``; docs/claims.md explains the rules.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from advprune.analysis.comparison import (
    ALPHA,
    POWER,
    difference_interval,
    power_to_see,
    runs_for_power,
    spread_of,
)
from advprune.analysis.notes import dataset_label
from advprune.analysis.statistics import COLLAPSE_BELOW, welch_greater
from advprune.claims.claim import Claim, Printed, Rule
from advprune.claims.evidence import ROBUST, Evidence, Measured, NotMeasuredError

# Intervals that overlap say little where ours is much the wider.
WIDEST = 2


class Verdict(StrEnum):
    """What the runs say of a claim."""

    REPRODUCED = "REPRODUCED"
    DIFFERS = "DIFFERS"
    UNDERPOWERED = "UNDERPOWERED"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True)
class Judgement:
    """A verdict with what it rests on; ``measured`` is None where nothing was."""

    verdict: Verdict
    reason: str
    measured: Measured | None = None


def judge(claim: Claim, evidence: Evidence) -> Judgement:
    """The verdict on one claim; never anything but NOT RUN on stand-in data."""
    for study in claim.studies:
        dataset = evidence.config["studies"][study]["dataset"]
        if dataset != study:  # studies are named for the paper's data sets
            return Judgement(Verdict.NOT_RUN, f"the data are {dataset_label(dataset)}")
    try:
        measured = claim.quantity.measure(evidence, claim.studies[0] if claim.studies else "")
    except NotMeasuredError as error:
        return Judgement(Verdict.NOT_RUN, str(error))
    verdict, reason = RULES[claim.rule.by](claim.rule, claim.printed, measured)
    if verdict is Verdict.REPRODUCED and _all_collapsed(claim, measured):
        verdict = Verdict.DIFFERS
        reason += ", but every run collapsed: there was no robustness to keep"
    return Judgement(verdict, reason, measured)


def _overlap(rule: Rule, printed: Printed, measured: Measured) -> tuple[Verdict, str]:
    """Whether the printed and our 95% interval overlap, ours being at most twice as wide."""
    ours = measured.interval
    if np.isnan(ours.low):
        return _no_interval(measured)
    low, high = printed.value - printed.half_width, printed.value + printed.half_width
    if ours.high < low or ours.low > high:
        return Verdict.DIFFERS, "the intervals do not overlap"
    half_width = (ours.high - ours.low) / 2
    if half_width > WIDEST * printed.half_width:
        return (
            Verdict.UNDERPOWERED,
            f"the intervals overlap, but ours is {half_width / printed.half_width:.1f} times as "
            f"wide; up to {WIDEST} would count",
        )
    return Verdict.REPRODUCED, "the intervals overlap"


def _within(rule: Rule, printed: Printed, measured: Measured) -> tuple[Verdict, str]:
    """Whether our interval lies within a margin around the printed value."""
    ours, margin = measured.interval, rule.margin
    if np.isnan(ours.low):
        return _no_interval(measured)
    low, high = printed.value - margin, printed.value + margin
    zone = f"{printed.value:g} ± {margin:g}"
    if low <= ours.low and ours.high <= high:
        return Verdict.REPRODUCED, f"our interval lies within {zone}"
    if ours.high < low or ours.low > high:
        return Verdict.DIFFERS, f"our interval lies outside {zone}"
    return Verdict.UNDERPOWERED, f"our interval is partly within {zone}, partly outside"


def _at_least(rule: Rule, printed: Printed, measured: Measured) -> tuple[Verdict, str]:
    """Whether our interval lies above a bound."""
    ours = measured.interval
    if np.isnan(ours.low):
        return _no_interval(measured)
    if ours.low >= rule.bound:
        return Verdict.REPRODUCED, f"our interval lies at or above {rule.bound:g}"
    if ours.high < rule.bound:
        return Verdict.DIFFERS, f"our interval lies below {rule.bound:g}"
    return Verdict.UNDERPOWERED, f"our interval reaches to both sides of {rule.bound:g}"


def _at_most(rule: Rule, printed: Printed, measured: Measured) -> tuple[Verdict, str]:
    """Whether our interval lies below a bound."""
    ours = measured.interval
    if np.isnan(ours.low):
        return _no_interval(measured)
    if ours.high <= rule.bound:
        return Verdict.REPRODUCED, f"our interval lies at or below {rule.bound:g}"
    if ours.low > rule.bound:
        return Verdict.DIFFERS, f"our interval lies above {rule.bound:g}"
    return Verdict.UNDERPOWERED, f"our interval reaches to both sides of {rule.bound:g}"


def _greater(rule: Rule, printed: Printed, measured: Measured) -> tuple[Verdict, str]:
    """Whether a one-sided Welch's t-test finds the first mean to be the greater.

    The claim is contradicted if the test finds the opposite, or if our interval of the difference
    leaves the effect out. Else it is undecided, and the power says how much so.
    """
    first, second = measured.groups
    difference = difference_interval(first, second)
    if np.isnan(difference.low):
        return Verdict.UNDERPOWERED, "too few runs for a test"
    p_value = float(welch_greater(first, second).p_value)
    if np.isnan(p_value):  # no run differs from another: there is nothing to test
        greater = difference.value > 0 and difference.value >= rule.effect
        found = f"no run differs from another in its group; the difference is {difference.value:g}"
        return (Verdict.REPRODUCED if greater else Verdict.DIFFERS), found
    found = f"one-sided Welch's t-test: p = {p_value:.3g} at a level of {rule.alpha:g}"
    if 1 - p_value < min(rule.alpha, ALPHA):
        return Verdict.DIFFERS, f"{found}; the difference points the other way"
    if difference.high < rule.effect:
        return (
            Verdict.DIFFERS,
            f"{found}; our interval of the difference, [{difference.low:.2f}, "
            f"{difference.high:.2f}], lies below {rule.effect:g}",
        )
    if p_value < rule.alpha:
        return Verdict.REPRODUCED, found
    power = power_to_see(rule.effect, first, second, alpha=rule.alpha)
    needed = runs_for_power(rule.effect / spread_of(first, second), alpha=rule.alpha)
    return (
        Verdict.UNDERPOWERED,
        f"{found}; a difference of {rule.effect:g} would be seen with a power of "
        f"{100 * power:.0f}%, and with {100 * POWER:.0f}% from {needed:.0f} runs a group",
    )


RULES: dict[str, Callable[[Rule, Printed, Measured], tuple[Verdict, str]]] = {
    "overlap": _overlap,
    "within": _within,
    "at_least": _at_least,
    "at_most": _at_most,
    "greater": _greater,
}


def _all_collapsed(claim: Claim, measured: Measured) -> bool:
    """Whether a claim compares robust accuracies, all of which are below 1%.

    Where spreads are compared the first group decides: runs that all fail are not reliable.
    """
    if getattr(claim.quantity, "metric", None) != ROBUST or not measured.groups:
        return False
    groups = measured.groups[claim.quantity.robust_groups]
    return max(group.max() for group in groups) < COLLAPSE_BELOW


def _no_interval(measured: Measured) -> tuple[Verdict, str]:
    n = ", ".join(map(str, measured.n))
    return Verdict.UNDERPOWERED, f"n = {n} gives no interval"
