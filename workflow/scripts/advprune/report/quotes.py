"""What documents quote from results, so that no number in them is typed by hand.

A document marks a quotation by comments, which no reader sees::

    <!-- quote: primary claims -->
    <!-- end of quote -->

and between them is put what stands in the results: the claims that the paper stands on, or, by a
name such as ``tables/table1``, the table of that name as it is printed.
"""

import re
from pathlib import Path

from tabulate import tabulate

from advprune.errors import UserError
from advprune.report.claims import read_claim_list
from advprune.tables.table import read_shown

PRIMARY = "primary claims"
QUOTE = re.compile(r"(<!-- quote: ([\w/ ]+) -->\n)(.*?)(<!-- end of quote -->)", re.DOTALL)


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
    if what == PRIMARY:
        return _primary_claims(results)
    shown = read_shown((results / what).with_suffix(".csv"))
    return _markdown(shown.columns, shown.rows)


def _primary_claims(results: Path) -> str:
    """A row for each claim that the paper stands on, those that were not run last."""
    claims = read_claim_list(results / "claims.csv")
    if claims is None:
        raise UserError(f"{results / 'claims.csv'} does not exist")
    rows = [
        [row["says"], row["printed_shown"], row["ours_shown"] or "–", row["n"], row["verdict"]]
        for row in claims.primary
    ]
    return _markdown(["The paper says", "Its number", "Ours", "Runs", "Verdict"], rows)


def _markdown(columns: list[str], rows: list[list[str]]) -> str:
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in [columns, *rows]]
    return tabulate(escaped[1:], escaped[0], tablefmt="github", disable_numparse=True)
