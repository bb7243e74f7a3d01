"""What documents quote from results, so that no number in them is typed by hand.

A document marks a quotation by comments, which no reader sees::

    <!-- quote: primary claims -->
    <!-- end of quote -->

and between them is put what stands in the results: the claims that the paper stands on, or those
that a table or figure shows (``claims of table1``), or that have a verdict (``claims judged
DIFFERS``); how many claims have which verdict (``verdicts``); what the runs have cost (``cost``);
or, by a name such as ``tables/table1``, the table of that name as it is printed, or those of its
rows in which a cell is one of the texts that follow (``tables/comparisons: Median (%); Pairs``).
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tabulate import tabulate

from advprune.analysis.run_table import read_runs
from advprune.claims.rules import Verdict
from advprune.errors import UserError
from advprune.report.claims import ClaimList, read_claim_list
from advprune.report.origin import cost
from advprune.tables.table import read_shown

PRIMARY, OF_EXHIBIT, JUDGED, VERDICTS = "primary claims", "claims of ", "claims judged ", "verdicts"
COST = "cost"
QUOTE = re.compile(r"(<!-- quote: ([^\n]+) -->\n)(.*?)(<!-- end of quote -->)", re.DOTALL)


def with_quotes(document: str, results: Path) -> str:
    """A document in which each quotation is what stands in the results.

    Args:
        document: its text, in Markdown.
        results: a folder of results.

    Raises:
        UserError: what is quoted is missing or damaged.
    """
    return QUOTE.sub(lambda found: f"{found[1]}{_quote(found[2], results)}\n{found[4]}", document)


def _quote(what: str, results: Path) -> str:
    if what == VERDICTS:
        return _verdicts(_claims(results))
    if what == PRIMARY:
        return _table_of_claims(_claims(results).primary)
    if what.startswith(OF_EXHIBIT):
        return _table_of_claims(_claims(results).shown_in(what.removeprefix(OF_EXHIBIT)))
    if what.startswith(JUDGED):
        rows = _claims(results).rows
        return _table_of_claims([row for row in rows if f"{JUDGED}{row['verdict']}" == what])
    if what == COST:
        return _markdown(
            ["The runs", ""], [[*fact] for fact in cost(read_runs(results / "runs.csv"))]
        )
    name, _, wanted = what.partition(": ")
    shown = read_shown((results / name).with_suffix(".csv"))
    cells = {*wanted.split("; ")} - {""}
    rows = [row for row in shown.rows if not cells or cells & {*row}]
    if unknown := cells - {cell for row in rows for cell in row}:
        raise UserError(f"{results / name} has no row with {min(unknown)!r}, which is quoted")
    return _markdown(shown.columns, rows)


def _claims(results: Path) -> ClaimList:
    claims = read_claim_list(results / "claims.csv")
    if claims is None:
        raise UserError(f"{results / 'claims.csv'} does not exist")
    return claims


def _table_of_claims(claims: Sequence[Mapping[str, str]]) -> str:
    """A row for each, those that were not run last; beside a verdict that by the other attack."""
    columns = ["The paper says", "Its number", "Ours", "Runs", "Verdict"]
    rows = [
        [row["says"], row["printed_shown"], row["ours_shown"] or "–", row["n"], row["verdict"]]
        for row in claims
    ]
    if any(row["other_shown"] for row in claims):
        columns.append(f"By {claims[0]['other_attack']}")
        for cells, row in zip(rows, claims, strict=True):
            other = f"{row['other_shown']} {row['other_verdict']}"
            cells.append(other if row["other_shown"] else "–")
    return _markdown(columns, rows)


def _verdicts(claims: ClaimList) -> str:
    """A row for each group of claims, how many of it have which verdict.

    And how many would be REPRODUCED in a world where pruning does nothing.
    """
    rows = [
        [
            group.title,
            *(str(group.counts[verdict]) for verdict in Verdict),
            f"{group.expected[0]:.1f}" if group.expected else "–",
        ]
        for group in claims.groups
    ]
    return _markdown(["Claims", *Verdict, "REPRODUCED without any effect of pruning"], rows)


def _markdown(columns: list[str], rows: list[list[str]]) -> str:
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in [columns, *rows]]
    return tabulate(escaped[1:], escaped[0], tablefmt="github", disable_numparse=True)
