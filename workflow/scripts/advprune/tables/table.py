"""A table: written with all digits, and as it is printed; and read back."""

import dataclasses
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from advprune.storage.files import read_json, write_json, write_text
from advprune.storage.records import check_hash, write_hashes


@dataclass(frozen=True)
class Table:
    """A table ready to be written.

    Attributes:
        title: the heading.
        numbers: what the CSV holds, with all digits.
        shown: what the other files show.
        notes: lines below the table.
    """

    title: str
    numbers: pd.DataFrame
    shown: pd.DataFrame
    notes: Sequence[str]

    def write(self, path: str | Path) -> None:
        """Write it to ``path``, a .csv, as .md, .tex, .html and .json beside it, and their hashes.

        The CSV holds all digits, the JSON what the other files show, for programs to read.
        """
        path = Path(path)
        headers, rows = list(self.shown.columns), self.shown.astype(str).values.tolist()
        write_text(path, self.numbers.to_csv(index=False))
        write_text(path.with_suffix(".md"), _markdown(self.title, headers, rows, self.notes))
        write_text(path.with_suffix(".tex"), _latex_table(self.title, headers, rows, self.notes))
        write_text(path.with_suffix(".html"), _page(self.title, headers, rows, self.notes))
        shown = ShownTable(self.title, headers, rows, list(self.notes))
        write_json(path.with_suffix(".json"), dataclasses.asdict(shown))
        write_hashes(path, *map(path.with_suffix, (".md", ".tex", ".html", ".json")))


@dataclass(frozen=True)
class ShownTable:
    """A table as it is printed; all cells are text."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str]


def read_shown(path: Path) -> ShownTable:
    """Read back what `Table.write` wrote to ``path``, a .csv, from the .json beside it.

    Raises:
        UserError: it is missing, or is not what was written.
    """
    shown = path.with_suffix(".json")
    check_hash(shown, made_with=path)
    return ShownTable(**read_json(shown))


Rows = Sequence[Sequence[str]]


def _markdown(title: str, headers: Sequence[str], rows: Rows, notes: Sequence[str]) -> str:
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in [headers, *rows]]
    body = tabulate(escaped[1:], escaped[0], tablefmt="github", disable_numparse=True)
    remarks = "\n".join(f"- {note}" for note in notes)
    return f"# {title}\n\n{body}\n\n{remarks}\n"


def _latex_table(title: str, headers: Sequence[str], rows: Rows, notes: Sequence[str]) -> str:
    body = tabulate(
        [[_latex(cell) for cell in row] for row in rows],
        [_latex(header) for header in headers],
        tablefmt="latex_raw",
        disable_numparse=True,
    )
    remarks = "".join(f"\\par\\footnotesize {_latex(note)}\n" for note in notes)
    return (
        f"\\begin{{table}}\n\\centering\n\\caption{{{_latex(title)}}}\n{body}\n{remarks}"
        "\\end{table}\n"
    )


def plus_minus(mean: float, half_width: float) -> str:
    """``56.62 ± 5.13``, or the mean alone where one run gives no interval."""
    if pd.isna(mean):
        return "–"
    shown = f"{round(mean, 2) + 0:.2f}"  # adding 0 makes of a rounded -0.00 a 0.00
    return shown if pd.isna(half_width) else f"{shown} ± {half_width:.2f}"


def runs_shown(n: int, under_autoattack: int) -> str:
    """How many runs, and how many of them AutoAttack was run on where those are fewer."""
    return str(n) if under_autoattack == n else f"{n} (AutoAttack: {under_autoattack})"


def mean_column(numbers: pd.DataFrame, metric: str) -> list[str]:
    """The means of a metric in `statistics.summarise`'s table, with half their intervals."""
    means, half_widths = numbers[f"{metric}_mean"], numbers[f"{metric}_half_width"]
    return [plus_minus(mean, half) for mean, half in zip(means, half_widths, strict=True)]


def _page(title: str, headers: Sequence[str], rows: Rows, notes: Sequence[str]) -> str:
    """A whole page, as `snakemake --report` shows it."""
    body = tabulate(rows, headers, tablefmt="html", disable_numparse=True)
    remarks = "".join(f"<li>{html.escape(note)}</li>\n" for note in notes)
    heading = html.escape(title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{heading}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{heading}</h1>\n{body}\n"
        f"<ul>\n{remarks}</ul>\n</body>\n</html>\n"
    )


_STYLE = (
    "body{font:15px sans-serif;margin:2em} h1{font-size:1.2em} table{border-collapse:collapse} "
    "th,td{padding:.3em .8em;border-bottom:1px solid #ccc;text-align:left} ul{color:#555}"
)


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
    "<": r"$<$",
    ">": r"$>$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "α": r"$\alpha$",
    "ε": r"$\varepsilon$",
    "η": r"$\eta$",
    "δ": r"$\delta$",
    "ρ": r"$\rho$",
    "√": r"$\surd$",
    "≤": r"$\leq$",
    "–": "--",
    "“": "``",
    "”": "''",
    "…": r"\ldots{}",
    "∞": r"$\infty$",
}


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
