"""Writing a table as CSV (all digits), as Markdown and as LaTeX (as printed)."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from advprune.files import write_text


def write_table(
    path: str | Path,
    *,
    numbers: pd.DataFrame,
    shown: pd.DataFrame,
    title: str,
    notes: Sequence[str],
) -> None:
    """Write a table in three forms.

    Args:
        path: the .csv; the .md and the .tex are put beside it.
        numbers: what the CSV holds.
        shown: what Markdown and LaTeX show, as text.
        title: the heading.
        notes: lines below the table.
    """
    path = Path(path)
    write_text(path, numbers.to_csv(index=False))
    rows = shown.astype(str).values.tolist()
    headers = list(shown.columns)
    body = tabulate(rows, headers, tablefmt="github", disable_numparse=True)
    remarks = "\n".join(f"- {note}" for note in notes)
    write_text(path.with_suffix(".md"), f"# {title}\n\n{body}\n\n{remarks}\n")
    body = tabulate(
        [[_latex(cell) for cell in row] for row in rows],
        [_latex(header) for header in headers],
        tablefmt="latex_raw",
        disable_numparse=True,
    )
    remarks = "".join(f"\\par\\footnotesize {_latex(note)}\n" for note in notes)
    write_text(
        path.with_suffix(".tex"),
        f"\\begin{{table}}\n\\centering\n\\caption{{{_latex(title)}}}\n{body}\n{remarks}"
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
    "ε": r"$\varepsilon$",
    "≤": r"$\leq$",
    "–": "--",
    "∞": r"$\infty$",
}


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
