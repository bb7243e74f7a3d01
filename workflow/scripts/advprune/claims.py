"""The paper's claims, and whether the runs bear them out.

`judge` gives a verdict on one claim. A verdict is computed from an interval or a test, by the rule
that the claim names in ``config/paper_claims.yaml``; docs/claims.md explains the rules.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from advprune.comparison import (
    ALPHA,
    POWER,
    difference_interval,
    power_to_see,
    runs_for_power,
    spread_of,
)
from advprune.errors import UserError
from advprune.evidence import ROBUST, Evidence, Measured, NotMeasuredError
from advprune.labels import dataset_label
from advprune.quantities import (
    COMPARED,
    STUDIES,
    PValue,
    Quantity,
    SpreadPercentOf,
    parse_quantity,
)
from advprune.schema import check_against
from advprune.statistics import COLLAPSE_BELOW, welch_greater

SCHEMA = Path(__file__).parents[3] / "config/schemas/paper_claims.schema.yaml"
# Intervals that overlap say little where ours is much the wider.
WIDEST = 2


class Verdict(StrEnum):
    """What the runs say of a claim."""

    REPRODUCED = "REPRODUCED"
    DIFFERS = "DIFFERS"
    UNDERPOWERED = "UNDERPOWERED"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True)
class Printed:
    """What the paper prints.

    Attributes:
        value: in the quantity's unit; None where the paper gives words alone.
        half_width: of its 95% interval; None where it gives none.
    """

    value: float | None
    half_width: float | None

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> "Printed":
        """From a claim; ``percent_of`` makes a percentage of two printed numbers."""
        value, half_width = content.get("value"), content.get("half_width")
        if "percent_of" in content:
            value, half_width = 100 * value / content["percent_of"], None
        return cls(value, half_width)


@dataclass(frozen=True)
class Rule:
    """How agreement is judged.

    Attributes:
        by: a name in `RULES`.
        margin: for ``within``, in the quantity's unit.
        bound: for ``at_least`` and ``at_most``.
        alpha: for ``greater``: the level of the one-sided test.
        effect: for ``greater``: the smallest true difference that would bear the claim out.
    """

    by: str
    margin: float = 0.0
    bound: float = 0.0
    alpha: float = ALPHA
    effect: float = 0.0


@dataclass(frozen=True)
class Claim:
    """One number or sentence of the paper.

    Attributes:
        id: names it.
        place: where it stands in the paper.
        says: what it says, in short.
        studies: whose runs it is about; empty for the toy model.
        quantity: what is measured.
        printed: what the paper prints.
        rule: how agreement is judged.
        note: what a reader should know of how it was made checkable.
    """

    id: str
    place: str
    says: str
    studies: tuple[str, ...]
    quantity: Quantity
    printed: Printed
    rule: Rule
    note: str


@dataclass(frozen=True)
class Judgement:
    """A verdict with what it rests on; ``measured`` is None where nothing was."""

    verdict: Verdict
    reason: str
    measured: Measured | None = None


def read_claims(path: str | Path) -> list[Claim]:
    """Read and check a file of claims.

    Raises:
        UserError: it cannot be read, breaks the schema, or names a quantity that is unknown.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"claims {path} cannot be read: {error}") from error
    check_against(SCHEMA, content, "claims")
    claims = [_parse(claim) for claim in content["claims"]]
    names = [claim.id for claim in claims]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"claims: the id {name!r} is given to {names.count(name)} claims")
    return claims


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
    groups = measured.groups
    if isinstance(claim.quantity, SpreadPercentOf):
        groups = groups[:1]
    return max(group.max() for group in groups) < COLLAPSE_BELOW


def _no_interval(measured: Measured) -> tuple[Verdict, str]:
    n = ", ".join(map(str, measured.n))
    return Verdict.UNDERPOWERED, f"n = {n} gives no interval"


def _parse(content: Mapping[str, Any]) -> Claim:
    quantity = _quantity_of(content)
    for complaint in _contradictions(content, quantity):
        raise UserError(f"claims: {content['id']}: {complaint}")
    return Claim(
        id=content["id"],
        place=_on_one_line(content["place"]),
        says=_on_one_line(content["says"]),
        studies=tuple(content["studies"]),
        quantity=quantity,
        printed=Printed.parse(content.get("printed", {})),
        rule=Rule(**content["judge"]),
        note=_on_one_line(content.get("note", "")),
    )


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _quantity_of(content: Mapping[str, Any]) -> Quantity:
    try:
        return parse_quantity(content["quantity"])
    except ValueError as error:
        raise UserError(f"claims: {content['id']}: {error}") from error


def _contradictions(content: Mapping[str, Any], quantity: Quantity) -> Iterator[str]:
    """What the schema cannot see."""
    kind, wanted = content["quantity"]["kind"], STUDIES.get(type(quantity), 1)
    if len(content["studies"]) != wanted:
        yield f"the quantity {kind!r} is about {wanted} of the studies, not {content['studies']}"
    if content["judge"]["by"] == "greater" and not isinstance(quantity, COMPARED):
        yield f"the rule 'greater' tests two groups, which the quantity {kind!r} does not have"
    if content["judge"]["by"] != "greater" and isinstance(quantity, PValue):
        yield "a p_value has no interval: it is judged by 'greater'"
    if {"half_width", "percent_of"} <= content.get("printed", {}).keys():
        yield "printed has both half_width and percent_of: a ratio has no half_width"
