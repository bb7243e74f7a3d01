"""The paper's claims, as ``config/paper_claims.yaml`` lists them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from advprune.analysis.comparison import ALPHA
from advprune.claims.quantities import Quantity, parse_quantity
from advprune.errors import UserError
from advprune.paths import CONFIG
from advprune.plan.exhibits import EXHIBITS
from advprune.plan.schema import check_against

SCHEMA = CONFIG / "schemas/paper_claims.schema.yaml"


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
        shown_in: the tables and figures that show it, by name.
        says: what it says, in short.
        studies: whose runs it is about; empty for the toy model.
        quantity: what is measured.
        printed: what the paper prints.
        rule: how agreement is judged.
        note: what a reader should know of how it was made checkable.
    """

    id: str
    place: str
    shown_in: tuple[str, ...]
    says: str
    studies: tuple[str, ...]
    quantity: Quantity
    printed: Printed
    rule: Rule
    note: str


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


def _parse(content: Mapping[str, Any]) -> Claim:
    quantity = _quantity_of(content)
    for complaint in _contradictions(content, quantity):
        raise UserError(f"claims: {content['id']}: {complaint}")
    return Claim(
        id=content["id"],
        place=_on_one_line(content["place"]),
        shown_in=tuple(content.get("shown_in", ())),
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
    kind, wanted = content["quantity"]["kind"], quantity.studies
    if len(content["studies"]) != wanted:
        yield f"the quantity {kind!r} is about {wanted} of the studies, not {content['studies']}"
    if content["judge"]["by"] == "greater" and not quantity.has_groups:
        yield f"the rule 'greater' tests two groups, which the quantity {kind!r} does not have"
    if content["judge"]["by"] != "greater" and not quantity.has_interval:
        yield "a p_value has no interval: it is judged by 'greater'"
    for name in content.get("shown_in", ()):
        if name not in EXHIBITS:
            yield f"shown_in names {name!r}, which is no table or figure"
    if {"half_width", "percent_of"} <= content.get("printed", {}).keys():
        yield "printed has both half_width and percent_of: a ratio has no half_width"
