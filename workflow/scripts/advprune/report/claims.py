"""The paper's claims with their verdicts, as the report shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from advprune.claims.headline import GroupCount, headline
from advprune.claims.rules import Verdict
from advprune.storage.records import check_hash
from advprune.tables.table import read_shown


@dataclass(frozen=True)
class ClaimList:
    """All claims, with what is said of them together.

    Attributes:
        rows: the rows of claims.csv, all of it text; an empty cell is an empty text. Primary claims
            come first and those that were not run last, each in the paper's order.
        notes: what a reader should know of all of them.
    """

    rows: Sequence[dict[str, str]]
    notes: Sequence[str]

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many claims have each verdict."""
        return {v: sum(row["verdict"] == v for row in self.rows) for v in Verdict}

    @property
    def groups(self) -> list[GroupCount]:
        """The same for each group by itself, the primary claims first."""
        return headline(self.rows)

    @property
    def primary(self) -> list[dict[str, str]]:
        """The claims that the paper stands on."""
        return [row for row in self.rows if row["primary"] == "True"]

    @property
    def changing(self) -> int:
        """How many verdicts are another one under the other attack."""
        return sum(row["other_verdict"] not in ("", row["verdict"]) for row in self.rows)

    @property
    def other_attack(self) -> str:
        """The other attack's name."""
        return self.rows[0]["other_attack"]

    def shown_in(self, exhibit: str) -> list[dict[str, str]]:
        """Those that a table or figure shows."""
        return [row for row in self.rows if exhibit in row["shown_in"].split()]


def read_claim_list(path: Path) -> ClaimList | None:
    """Read claims.csv, and the notes in the claims.json beside it; None where there is none yet.

    Raises:
        UserError: they are damaged.
    """
    if not path.exists():
        return None
    check_hash(path)
    rows = pd.read_csv(path, dtype=str, keep_default_na=False).to_dict("records")
    # The first notes are the headline, which the page counts for itself.
    notes = read_shown(path).notes[len(headline(rows)) :]
    rows = [row | {"order": str(place)} for place, row in enumerate(rows)]
    return ClaimList(sorted(rows, key=_place), notes)


def _place(row: dict[str, str]) -> tuple[bool, bool]:
    return row["verdict"] == Verdict.NOT_RUN, row["primary"] != "True"
