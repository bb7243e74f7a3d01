"""The verdicts in a few lines: each group of claims by itself, the primary ones first."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from advprune.claims.claim import GROUPS
from advprune.claims.rules import Verdict

PRIMARY = "primary claims"


@dataclass(frozen=True)
class GroupCount:
    """How the claims of a group came out.

    Attributes:
        title: of the group.
        counts: claims by verdict.
        expected: how many would be REPRODUCED, and how many of these falsely, in a world where
            pruning does nothing; None where none of them is about what pruning does.
    """

    title: str
    counts: Mapping[Verdict, int]
    expected: tuple[float, float] | None

    @property
    def claims(self) -> int:
        """How many there are."""
        return sum(self.counts.values())

    @property
    def beside(self) -> str:
        """What a world without any effect of pruning would score, in words; empty without it."""
        if self.expected is None:
            return ""
        reproduced, falsely = self.expected
        return (
            f"without any effect of pruning {reproduced:.1f} would be REPRODUCED, "
            f"{falsely:.1f} of them falsely"
        )

    @property
    def line(self) -> str:
        """All of it in one line."""
        counts = ", ".join(f"{self.counts[v]} {v}" for v in Verdict)
        return f"{self.title}: {self.claims}: {counts}" + (self.beside and f" ({self.beside})")


def headline(rows: Iterable[Mapping[str, object]]) -> list[GroupCount]:
    """Count the rows of claims.csv, as numbers or as the texts that a file holds."""
    rows = list(rows)
    groups = {PRIMARY: [row for row in rows if str(row["primary"]) == "True"]}
    groups |= {
        title: [row for row in rows if row["group"] == name] for name, title in GROUPS.items()
    }
    return [_count(title, part) for title, part in groups.items() if part]


def _count(title: str, rows: list[Mapping[str, object]]) -> GroupCount:
    counts = Counter(str(row["verdict"]) for row in rows)
    simulated = [row for row in rows if str(row["without_effect_is"]) in ("true", "false")]
    expected = None
    if simulated:
        shares = [(row, float(row["without_effect_percent"]) / 100) for row in simulated]
        falsely = [share for row, share in shares if row["without_effect_is"] == "false"]
        expected = sum(share for _, share in shares), sum(falsely)
    return GroupCount(title, {v: counts[v] for v in Verdict}, expected)
