"""The paper's claims, as ``config/paper_claims.yaml`` lists them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from advprune.claims.estimates import (
    Estimate,
    known,
    printed,
    printed_percent,
    printed_without_interval,
)
from advprune.claims.measured import Quantity
from advprune.claims.quantities import parse_quantity
from advprune.errors import UserError
from advprune.paths import CONFIG
from advprune.plan.config import Config
from advprune.plan.exhibits import EXHIBITS
from advprune.plan.schema import check_against
from advprune.plan.yaml_files import read_yaml

SCHEMA = CONFIG / "schemas/paper_claims.schema.yaml"
# What a claim may be about, in the order of the headline; the last two say nothing of the paper's
# experiments.
GROUPS = {
    "effect": "effects of pruning",
    "size": "sizes of effects",
    "number": "numbers",
    "no loss": "“no loss”",
    "property": "properties",
    "identity": "identities of the toy model",
    "check": "checks of our experiment",
}


@dataclass(frozen=True)
class Number:
    """A printed number.

    Attributes:
        value: in the quantity's unit.
        half_width: of its 95% interval; None where the paper gives none.
    """

    value: float
    half_width: float | None

    def estimate(self, runs: int, scatter: np.ndarray | None) -> Estimate:
        """With its error: that of its interval, or of runs that scatter as ours do."""
        if self.half_width is not None:
            return printed(self.value, self.half_width, runs)
        if scatter is None:
            return known(self.value, np.nan, 1)
        return printed_without_interval(self.value, scatter, runs)


@dataclass(frozen=True)
class Printed:
    """What the paper prints: a number, or one less another, or one in percent of another.

    Attributes:
        first: the number.
        runs: behind each number; 1 for a single network.
        less: subtracted from it.
        percent_of: what it is divided by.
    """

    first: Number
    runs: int
    less: Number | None = None
    percent_of: Number | None = None

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> "Printed":
        """From a claim."""
        first = Number(content["value"], content.get("half_width"))
        others = {
            name: Number(content[name], content.get(f"{name}_half_width"))
            for name in ("less", "percent_of")
            if name in content
        }
        return cls(first, content["runs"], **others)

    @property
    def value(self) -> float:
        """In the quantity's unit."""
        if self.percent_of:
            return 100 * self.first.value / self.percent_of.value
        return self.first.value - (self.less.value if self.less else 0.0)

    @property
    def half_width(self) -> float | None:
        """Of its 95% interval, with the errors of both numbers; None where the paper gives none."""
        if self.first.half_width is None:
            return None
        return self.estimate().lower.error * float(scipy.stats.t.isf(0.025, self.runs - 1))

    def estimate(self, scatter: Sequence[np.ndarray] = ()) -> Estimate:
        """With its error.

        Args:
            scatter: our own single values, of each side of a difference: without an interval the
                paper's are taken to scatter as they do.
        """
        ours, *others = scatter or [None]
        found = self.first.estimate(self.runs, ours)
        if self.percent_of:
            return printed_percent(found, self.percent_of.estimate(self.runs, None))
        if self.less:
            return found.minus(self.less.estimate(self.runs, None))
        if self.first.half_width is None:
            for other in others:  # a printed difference has the errors of both its sides
                found = found.minus(printed_without_interval(0.0, other, self.runs))
        return found


@dataclass(frozen=True)
class Rule:
    """How agreement is judged.

    Attributes:
        by: a name in `verdicts.RULES`.
        margin: for ``number`` and ``similar``, in the quantity's unit.
        rounding: for ``number``: half a unit of the last digit that is printed.
        bound: for ``at_least`` and ``at_most``.
        tolerance: for ``no_loss``, and of numbers for ``equal``.
        to: for ``equal``: a number, or names with numbers or texts.
        among: "all" or "most" of the cells; empty where there is one.
    """

    by: str
    margin: float = 0.0
    rounding: float = 0.0
    bound: float = 0.0
    tolerance: float = 0.0
    to: Any = None
    among: str = ""

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> "Rule":
        """From a claim."""
        fields = {name: value for name, value in content.items() if name != "in"}
        return cls(**fields, among=content.get("in", ""))

    @property
    def words(self) -> str:
        """The rule with its numbers, for a reader."""
        numbers = {
            "number": f"number ± {self.margin:g}",
            "similar": f"similar ± {self.margin:g}",
            "at_least": f"at least {self.bound:g}",
            "at_most": f"at most {self.bound:g}",
            "no_loss": f"no loss above {self.tolerance:g}",
        }
        return numbers.get(self.by, self.by) + (f" in {self.among}" if self.among else "")


@dataclass(frozen=True)
class Claim:
    """One number or sentence of the paper.

    Attributes:
        id: names it.
        group: what it is about, one of `GROUPS`.
        primary: whether it is one of the few that the paper stands on.
        place: where it stands in the paper.
        shown_in: the tables and figures that show it, by name.
        says: what it says, in short.
        studies: whose runs it is about; empty for the toy model.
        quantity: what is measured.
        printed: what the paper prints; None where it gives words alone.
        rule: how agreement is judged.
        needs: settings without which the printed number is of something else.
        note: what a reader should know of how it was made checkable.
    """

    id: str
    group: str
    primary: bool
    place: str
    shown_in: tuple[str, ...]
    says: str
    studies: tuple[str, ...]
    quantity: Quantity
    printed: Printed | None
    rule: Rule
    needs: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    def unmet(self, config: Config) -> list[str]:
        """What it needs and the config does not have, a phrase each."""
        return [
            f"{key} is {_said(_setting(config, key))}, and the paper's number is of {_said(wanted)}"
            for key, wanted in self.needs.items()
            if _setting(config, key) != wanted
        ]


def read_claims(path: str | Path) -> list[Claim]:
    """Read and check a file of claims.

    Raises:
        UserError: it cannot be read, breaks the schema, or names a quantity that is unknown.
    """
    content = read_yaml(path, "claims")
    check_against(SCHEMA, content, "claims")
    claims = [_parse(claim) for claim in content["claims"]]
    names = [claim.id for claim in claims]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"claims: the id {name!r} is given to {names.count(name)} claims")
    return claims


def _parse(content: Mapping[str, Any]) -> Claim:
    quantity = _quantity_of(content)
    for complaint in _contradictions(content, quantity):
        raise UserError(f"claims: {content['id']}: {complaint}")
    return Claim(
        id=content["id"],
        group=content["group"],
        primary=content.get("primary", False),
        place=_on_one_line(content["place"]),
        shown_in=tuple(content.get("shown_in", ())),
        says=_on_one_line(content["says"]),
        studies=tuple(content["studies"]),
        quantity=quantity,
        printed=Printed.parse(content["printed"]) if "printed" in content else None,
        rule=Rule.parse(content["judge"]),
        needs=content.get("needs", {}),
        note=_on_one_line(content.get("note", "")),
    )


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _setting(config: Config, key: str) -> Any:
    found: Any = config
    for name in key.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _quantity_of(content: Mapping[str, Any]) -> Quantity:
    try:
        return parse_quantity(content["quantity"])
    except ValueError as error:
        raise UserError(f"claims: {content['id']}: {error}") from error


def _contradictions(content: Mapping[str, Any], quantity: Quantity) -> Iterator[str]:
    """What the schema cannot see."""
    kind, wanted, by = content["quantity"]["kind"], quantity.studies, content["judge"]["by"]
    if len(content["studies"]) != wanted:
        yield f"the quantity {kind!r} is about {wanted} of the studies, not {content['studies']}"
    if (by == "equal") != quantity.is_check:
        goes = "is judged by 'equal' alone" if quantity.is_check else "cannot be judged by 'equal'"
        yield f"the quantity {kind!r} {goes}"
    if by == "no_loss" and not quantity.has_reference:
        yield f"the rule 'no_loss' takes a difference, which the quantity {kind!r} is not"
    if by not in ("at_least", "at_most") and quantity.is_spread:
        yield f"the quantity {kind!r} is judged by 'at_least' or 'at_most'"
    if quantity.several and "in" not in content["judge"]:
        yield f"the quantity {kind!r} has several cells: judge needs in: all or in: most"
    if not quantity.several and "in" in content["judge"]:
        yield f"judge has in: {content['judge']['in']}, but the quantity {kind!r} has one cell"
    if by != "number" and "printed" in content:
        yield f"printed is judged by 'number', not by {by!r}"
    if by == "number" and quantity.several:
        yield "the rule 'number' takes one cell"
    for name in content.get("shown_in", ()):
        if name not in EXHIBITS:
            yield f"shown_in names {name!r}, which is no table or figure"
    yield from _contradictions_of_printed(content.get("printed", {}))


def _contradictions_of_printed(content: Mapping[str, Any]) -> Iterator[str]:
    if {"less", "percent_of"} <= content.keys():
        yield "printed has both less and percent_of"
    for name in ("less", "percent_of"):
        has_both = (name in content and "half_width" in content) == (
            f"{name}_half_width" in content
        )
        if not has_both:
            yield f"printed has an interval of one of value and {name} alone"
    if "half_width" in content and content["runs"] < 2:
        yield "printed has half_width, but is of one run"
