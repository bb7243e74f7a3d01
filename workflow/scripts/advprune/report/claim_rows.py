"""The paper's claims with their verdicts, as the report shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from advprune.claims import Verdict
from advprune.errors import UserError
from advprune.tables import read_back


@dataclass(frozen=True)
class ClaimRow:
    """One claim: what is shown of it, and by what it is sorted.

    Attributes:
        id: names it, in the page's anchors too.
        place: where it stands in the paper.
        says: what it says, in short.
        note: on how it was made checkable; may be empty.
        printed: what the paper prints.
        ours: our value and interval; empty where nothing was measured.
        n: how many runs that is from, of each group.
        verdict: whether they agree.
        reason: why that is the verdict.
        other: our value and interval under the other attack; empty where it makes no difference.
        other_verdict: the verdict under the other attack; empty where it makes no difference.
        printed_value, value, other_value: the numbers alone, as text; empty where there is none.
    """

    id: str
    place: str
    says: str
    note: str
    printed: str
    ours: str
    n: str
    verdict: Verdict
    reason: str
    other: str
    other_verdict: str
    printed_value: str
    value: str
    other_value: str


@dataclass(frozen=True)
class ClaimList:
    """All claims, in the paper's order, with what is said of them together.

    Attributes:
        rows: the claims.
        other_attack: the heading of the column with the verdicts under the other attack.
        notes: what a reader should know of all of them.
    """

    rows: Sequence[ClaimRow]
    other_attack: str
    notes: Sequence[str]

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many claims have each verdict."""
        return {v: sum(row.verdict is v for row in self.rows) for v in Verdict}

    @property
    def changing(self) -> int:
        """How many verdicts are another one under the other attack."""
        return sum(row.other_verdict not in ("", row.verdict) for row in self.rows)


def read_claim_list(path: Path) -> ClaimList | None:
    """Read claims.csv with the claims.md beside it; None where there is none yet.

    Raises:
        UserError: the two are damaged or do not belong together.
    """
    if not path.exists():
        return None
    table = read_back(path)
    shown, numbers = table.shown, table.numbers
    try:
        (other_attack,) = (name for name in shown.columns if name.startswith("By "))
        rows = [
            ClaimRow(
                id=row["id"],
                place=row["place"],
                says=row["says"],
                note=row["note"],
                printed=cells["Printed"],
                ours=cells["Ours"],
                n=row["n"],
                verdict=Verdict(row["verdict"]),
                reason=row["reason"],
                other=cells[other_attack].removesuffix(row["other_verdict"]).strip(),
                other_verdict=row["other_verdict"],
                printed_value=row["printed"],
                value=row["value"],
                other_value=row["other_value"],
            )
            for row, cells in zip(numbers.to_dict("records"), shown.to_dict("records"), strict=True)
        ]
    except (KeyError, ValueError) as error:
        raise UserError(
            f"{path} and its .md are no table of claims ({error}): delete both and run again"
        ) from error
    return ClaimList(rows, other_attack, table.notes[1:])
