"""Tables as CSV, Markdown, LaTeX, HTML and JSON."""

import html
import io
import re
import subprocess

import pandas as pd
import pytest

from advprune.errors import UserError
from advprune.tables.table import ShownTable, Table, plus_minus, read_shown

NUMBERS = pd.DataFrame({"method": ["full", "low-loss"], "mean": [1 / 3, 2.0]})
SHOWN = pd.DataFrame(
    {"Method": ["None", "Low & (Loss)"], "Accuracy (%)": ["0.33 ± 0.10", "2.00"], "p": ["1.0", "–"]}
)


@pytest.fixture
def written(tmp_path):
    """Suffix to text of a table's files."""
    notes = ["MNIST_5k, a stand-in", "n = 3"]
    Table("Accuracy under ε ≤ 0.3", NUMBERS, SHOWN, notes).write(tmp_path / "table.csv")
    return {path.suffix: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}


def test_a_table_is_five_files_and_their_hashes(written):
    assert set(written) == {".csv", ".md", ".tex", ".html", ".json", ".sha256"}


def test_the_page_has_title_rows_as_shown_and_notes(written):
    cells = re.findall(r"<t[hd]>(.*?) *</t[hd]>", written[".html"])
    rows = [*SHOWN.columns, *SHOWN.to_numpy().flatten()]
    assert [html.unescape(cell) for cell in cells] == rows
    assert "<h1>Accuracy under ε ≤ 0.3</h1>" in written[".html"]
    assert "<li>MNIST_5k, a stand-in</li>" in written[".html"]


def test_the_csv_keeps_every_digit(written):
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(written[".csv"])), NUMBERS)


def test_markdown_has_title_rows_as_shown_and_notes(written):
    lines = written[".md"].split("\n")
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line]
    assert lines[0] == "# Accuracy under ε ≤ 0.3"
    assert [cells[0], *cells[2:]] == [list(SHOWN.columns), *SHOWN.to_numpy().tolist()]
    assert lines[-3:] == ["- MNIST_5k, a stand-in", "- n = 3", ""]


def test_latex_has_a_title_and_notes_fit_for_typesetting(written):
    assert r"\caption{Accuracy under $\varepsilon$ $\leq$ 0.3}" in written[".tex"]
    assert r"\footnotesize MNIST\_5k, a stand-in" in written[".tex"]


def test_latex_has_rows_as_shown(written):
    rows = [line.strip() for line in written[".tex"].split("\n") if line.endswith(r"\\")]
    cells = [[cell.strip() for cell in row.removesuffix(r"\\").split(" & ")] for row in rows]
    assert cells == [
        ["Method", r"Accuracy (\%)", "p"],
        ["None", r"0.33 $\pm$ 0.10", "1.0"],
        [r"Low \& (Loss)", "2.00", "--"],
    ]


@pytest.mark.parametrize(
    ("character", "escaped"),
    [
        *[(character, f"\\{character}") for character in "&%_#${}"],
        ("~", r"\textasciitilde{}"),
        ("^", r"\textasciicircum{}"),
        ("\\", r"\textbackslash{}"),
    ],
)
def test_what_means_something_in_latex_is_escaped(tmp_path, character, escaped):
    shown = pd.DataFrame({"column": [f"a{character}b"]})
    Table("Title", numbers=shown, shown=shown, notes=[]).write(tmp_path / "t.csv")
    assert f"a{escaped}b" in (tmp_path / "t.tex").read_text(encoding="utf-8")


def test_what_a_table_shows_is_read_back_as_it_was_written(tmp_path):
    shown = pd.DataFrame({"Method | of": ["None", "a|b"], "n": [1, 20]})
    Table("Title", NUMBERS, shown, ["a note", "# another - one"]).write(tmp_path / "t.csv")
    rows = [["None", "1"], ["a|b", "20"]]
    assert read_shown(tmp_path / "t.csv") == ShownTable(
        "Title", ["Method | of", "n"], rows, ["a note", "# another - one"]
    )


def test_a_table_without_rows_is_read_back_with_its_columns(tmp_path):
    empty = pd.DataFrame({"Method": [], "p": []})
    Table("Title", empty, empty, []).write(tmp_path / "t.csv")
    assert read_shown(tmp_path / "t.csv") == ShownTable("Title", ["Method", "p"], [], [])


def test_a_table_of_which_the_shown_part_is_missing_is_named(tmp_path):
    Table("Title", NUMBERS, SHOWN, []).write(tmp_path / "t.csv")
    (tmp_path / "t.json").unlink()
    with pytest.raises(UserError, match=r"t\.json does not exist"):
        read_shown(tmp_path / "t.csv")


def test_a_table_that_was_altered_since_is_refused_with_what_to_delete(tmp_path):
    Table("Title", NUMBERS, SHOWN, []).write(tmp_path / "t.csv")
    path = tmp_path / "t.json"
    path.write_text(path.read_text(encoding="utf-8").replace("0.33", "0.38"), encoding="utf-8")
    with pytest.raises(UserError, match=f"{path} is not what was written: delete {path} and run"):
        read_shown(tmp_path / "t.csv")


def test_the_hashes_of_a_table_are_ones_that_sha256sum_can_check(tmp_path):
    Table("Title", NUMBERS, SHOWN, []).write(tmp_path / "t.csv")
    checked = subprocess.run(
        ["sha256sum", "-c", "t.csv.sha256"], cwd=tmp_path, capture_output=True, text=True
    )
    files = ("t.csv", "t.md", "t.tex", "t.html", "t.json")
    assert checked.stdout.splitlines() == [f"{name}: OK" for name in files]


@pytest.mark.parametrize(
    ("mean", "half_width", "text"),
    [
        pytest.param(56.6199, 5.128, "56.62 ± 5.13", id="mean and interval"),
        pytest.param(56.6, float("nan"), "56.60", id="one run"),
        pytest.param(float("nan"), float("nan"), "–", id="no run"),
        pytest.param(0.0, 0.0, "0.00 ± 0.00", id="all collapsed"),
    ],
)
def test_a_mean_is_shown_with_its_interval_where_it_has_one(mean, half_width, text):
    assert plus_minus(mean, half_width) == text
