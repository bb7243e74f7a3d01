"""The verdict on a claim.

`judge` measures and judges one claim by the rule that it names in ``config/paper_claims.yaml``;
docs/claims.md explains the rules. `decide` alone judges simulated experiments too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from advprune.analysis.notes import dataset_label
from advprune.analysis.statistics import COLLAPSE_BELOW
from advprune.claims.claim import Claim, Printed, Rule
from advprune.claims.estimates import ALPHA
from advprune.claims.evidence import Evidence
from advprune.claims.measured import Comparison, Found, Measured, NotMeasuredError
from advprune.claims.rules import (
    Decision,
    Verdict,
    above,
    all_or_most,
    below,
    no_loss,
    only_where,
    within,
)
from advprune.spec.specification import fraction


@dataclass(frozen=True)
class Interval:
    """What a verdict rests on, as tables show it; with a 5% error at either end.

    Attributes:
        value: in the quantity's unit; of several cells, how many bear the claim out by their value.
        low, high: what the runs leave open; NaN where they leave all open. Of several cells how
            many bear it out by a test, and how many are left by tests of the opposite.
        cells: how many; 1 for most claims.
    """

    value: float
    low: float = np.nan
    high: float = np.nan
    cells: int = 1


@dataclass(frozen=True)
class Judgement:
    """A verdict with what it rests on; ``interval`` is None where nothing was measured."""

    verdict: Verdict
    reason: str
    interval: Interval | None = None
    n: tuple[int, ...] = ()


def judge(claim: Claim, evidence: Evidence) -> Judgement:
    """The verdict on one claim; never anything but NOT RUN on stand-in data."""
    for study in claim.studies:
        dataset = evidence.config["studies"][study]["dataset"]
        if dataset != study:  # studies are named for the paper's data sets
            return Judgement(Verdict.NOT_RUN, f"the data are {dataset_label(dataset)}")
    if unmet := claim.unmet(evidence.config):
        return Judgement(Verdict.NOT_RUN, "; ".join(unmet))
    try:
        measured = claim.quantity.measure(evidence, claim.studies[0] if claim.studies else "")
    except NotMeasuredError as error:
        return Judgement(Verdict.NOT_RUN, str(error))
    if isinstance(measured, Comparison):
        return _equal(claim.rule, measured)
    decision = decide(claim, measured)
    if len(measured.cells) > 1:
        return _of_cells(claim, measured, decision)
    reason = decision.reason
    if claim.rule.by == "number" and not decision.flaw:
        reason = f"ours less printed: {reason}"
    (found,) = measured.cells
    limits = found.estimate.low(), found.estimate.high()
    interval = Interval(*(float(number) for number in (found.estimate.value, *limits)))
    return Judgement(decision.verdict, reason, interval, measured.n)


def decide(claim: Claim, measured: Measured) -> Decision:
    """What the claim's rule says of what was measured."""
    decisions = [_decide_cell(claim, found) for found in measured.cells]
    if len(decisions) == 1:  # of one cell, all and most are that cell
        return decisions[0]
    p_for, p_against = (
        np.array([getattr(decision, name) for decision in decisions])
        for name in ("p_for", "p_against")
    )
    return all_or_most(p_for, p_against, most=claim.rule.among == "most")


def _decide_cell(claim: Claim, found: Found) -> Decision:
    decision = RULES[claim.rule.by](claim.rule, claim.printed, found)
    decision = only_where(decision, found.works, "half of the runs may collapse")
    if not found.needs_reference or claim.rule.by in ("greater", "at_least"):
        return decision
    robust = found.reference.p_above(COLLAPSE_BELOW) <= ALPHA
    return only_where(decision, robust, "every run may collapse: there is nothing to compare")


def _number(rule: Rule, printed: Printed, found: Found) -> Decision:
    theirs = printed.estimate(found.scatter)
    return within(found.estimate.minus(theirs), rule.margin, beyond=rule.rounding)


def _greater(rule: Rule, printed: None, found: Found) -> Decision:
    return above(found.estimate)


def _at_least(rule: Rule, printed: None, found: Found) -> Decision:
    return above(found.estimate, rule.bound)


def _at_most(rule: Rule, printed: None, found: Found) -> Decision:
    return below(found.estimate, rule.bound)


def _no_loss(rule: Rule, printed: None, found: Found) -> Decision:
    return no_loss(found.estimate, rule.tolerance, found.reference)


def _similar(rule: Rule, printed: None, found: Found) -> Decision:
    return within(found.estimate, rule.margin, beyond=rule.margin)


def _equal(rule: Rule, comparison: Comparison) -> Judgement:
    """Exactly the same, numbers to within a tolerance; of a mapping, what the claim names of it."""
    found = comparison.found
    if isinstance(rule.to, Mapping):
        off = [
            f"{name} is {found.get(name)}, the paper's {wanted}"
            for name, wanted in rule.to.items()
            if not _same(found.get(name), wanted, rule.tolerance)
        ]
        interval = None
    else:
        same = _same(found, rule.to, rule.tolerance)
        off = [] if same else [f"{_short(found)} instead of {_short(rule.to)}"]
        interval = Interval(float(found))
    verdict = Verdict.DIFFERS if off else Verdict.REPRODUCED
    n = (comparison.n,) if comparison.n else ()
    return Judgement(verdict, "; ".join(off) or "exactly as the paper says", interval, n)


RULES: dict[str, Callable[[Rule, Printed | None, Found], Decision] | Callable] = {
    "number": _number,
    "greater": _greater,
    "at_least": _at_least,
    "at_most": _at_most,
    "no_loss": _no_loss,
    "similar": _similar,
    "equal": _equal,
}


def _of_cells(claim: Claim, measured: Measured, decision: Decision) -> Judgement:
    """Several cells: how many bear the claim out, and how many tests say so, or the opposite."""
    cells = len(measured.cells)
    held = sum(bool(_holds(claim.rule, found)) for found in measured.cells)
    shown, left = int(decision.low), int(decision.high)
    reason = (
        f"of {cells} cells {shown} bear it out and {cells - left} contradict it, by tests at 5% "
        f"each; the claim is that {decision.claim} do"
    )
    flaw = measured.cells[0].estimate.flaw
    if flaw and decision.verdict is Verdict.UNDERPOWERED:
        reason = flaw
    return Judgement(decision.verdict, reason, Interval(held, shown, left, cells), measured.n)


def _holds(rule: Rule, found: Found) -> bool:
    """Whether a cell's value, without its error, is as the claim says."""
    value = found.estimate.value
    if rule.by == "similar":
        return abs(value) < rule.margin
    if rule.by == "at_most":
        return value < rule.bound
    return value > (-rule.tolerance if rule.by == "no_loss" else rule.bound)


def _same(found: object, wanted: object, tolerance: float) -> bool:
    try:
        return abs(fraction(found) - fraction(wanted)) <= tolerance
    except (TypeError, ValueError):
        return found == wanted


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
