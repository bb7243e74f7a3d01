"""Writing a table as CSV (all digits), and as Markdown, LaTeX and HTML (as printed); reading it."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from advprune.errors import UserError
from advprune.files import write_text
from advprune.records import check_hash, write_hashes


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


def write_table(path: str | Path, table: Table) -> None:
    """Write a table to ``path``, a .csv, as .md, .tex and .html beside it, and their hashes."""
    path = Path(path)
    write_text(path, table.numbers.to_csv(index=False))
    rows = table.shown.astype(str).values.tolist()
    headers = list(table.shown.columns)
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in [headers, *rows]]
    body = tabulate(escaped[1:], escaped[0], tablefmt="github", disable_numparse=True)
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
    write_text(path.with_suffix(".html"), _page(table.title, headers, rows, table.notes))
    write_hashes(path, *map(path.with_suffix, (".md", ".tex", ".html")))


def read_back(path: str | Path) -> Table:
    """Read back what `write_table` wrote to ``path``, a .csv, and beside it as .md.

    All cells are text, as the files have them; an empty cell is an empty text.

    Raises:
        UserError: a file is missing, is not what was written, or holds no table of ours.
    """
    path = Path(path)
    for file in (path, path.with_suffix(".md")):
        check_hash(file, made_with=path)
    try:
        numbers = pd.read_csv(path, dtype=str, keep_default_na=False)
        lines = path.with_suffix(".md").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a table ({error}): delete it and run again") from error
    title = next((line[2:] for line in lines if line.startswith("# ")), "")
    cells = [_markdown_cells(line) for line in lines if line.startswith("|")]
    notes = [line[2:] for line in lines if line.startswith("- ")]
    if len(cells) < 2 or len({len(row) for row in cells}) > 1:
        raise UserError(f"{path.with_suffix('.md')} holds no table: delete it and run again")
    return Table(title, numbers, pd.DataFrame(cells[2:], columns=cells[0]), notes)


def plus_minus(mean: float, half_width: float) -> str:
    """``56.62 ± 5.13``, or the mean alone where one run gives no interval."""
    if pd.isna(mean):
        return "–"
    return f"{mean:.2f}" if pd.isna(half_width) else f"{mean:.2f} ± {half_width:.2f}"


def _page(
    title: str, headers: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str]
) -> str:
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


def _markdown_cells(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line)[1:-1]
    return [cell.strip().replace(r"\|", "|") for cell in cells]


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
    "√": r"$\surd$",
    "≤": r"$\leq$",
    "–": "--",
    "…": r"\ldots{}",
    "∞": r"$\infty$",
}


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
