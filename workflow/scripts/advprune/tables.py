"""Writing a table as CSV (all digits), as Markdown and as LaTeX (as printed)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from advprune.files import write_text


@dataclass(frozen=True)
class Table:
    """A table ready to be written.

    Attributes:
        title: the heading.
        numbers: what the CSV holds, with all digits.
        shown: what Markdown and LaTeX show.
        notes: lines below the table.
    """

    title: str
    numbers: pd.DataFrame
    shown: pd.DataFrame
    notes: Sequence[str]


def write_table(path: str | Path, table: Table) -> None:
    """Write a table to ``path``, a .csv, and as .md and .tex beside it."""
    path = Path(path)
    write_text(path, table.numbers.to_csv(index=False))
    rows = table.shown.astype(str).values.tolist()
    headers = list(table.shown.columns)
    body = tabulate(rows, headers, tablefmt="github", disable_numparse=True)
    remarks = "\n".join(f"- {note}" for note in table.notes)
    write_text(path.with_suffix(".md"), f"# {table.title}\n\n{body}\n\n{remarks}\n")
    body = tabulate(
        [[_latex(cell) for cell in row] for row in rows],
        [_latex(header) for header in headers],
        tablefmt="latex_raw",
        disable_numparse=True,
    )
    remarks = "".join(f"\\par\\footnotesize {_latex(note)}\n" for note in table.notes)
    write_text(
        path.with_suffix(".tex"),
        f"\\begin{{table}}\n\\centering\n\\caption{{{_latex(table.title)}}}\n{body}\n{remarks}"
        "\\end{table}\n",
    )


def plus_minus(mean: float, half_width: float) -> str:
    """``56.62 ± 5.13``, or the mean alone where one run gives no interval."""
    if pd.isna(mean):
        return "–"
    return f"{mean:.2f}" if pd.isna(half_width) else f"{mean:.2f} ± {half_width:.2f}"


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "_": r"\_",
    "#": r"\#",
    "$": r"\$",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "α": r"$\alpha$",
    "ε": r"$\varepsilon$",
    "η": r"$\eta$",
    "√": r"$\surd$",
    "≤": r"$\leq$",
    "–": "--",
    "…": r"\ldots{}",
    "∞": r"$\infty$",
}


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
