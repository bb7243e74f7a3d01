"""What documents quote from results."""

import pandas as pd
import pytest
from run_tables import runs_of_cell
from workflow_tools import PROJECT, run_program

from advprune.analysis.run_table import write_runs
from advprune.errors import UserError
from advprune.report.quotes import with_quotes
from advprune.tables.table import Table

DOCUMENT = """# Findings

Table 1:
<!-- quote: tables/table1 -->
what stood here before
<!-- end of quote -->
And so on.
"""


@pytest.fixture
def results(tmp_path):
    shown = pd.DataFrame({"Method": ["None", "a|b"], "Robust (%)": ["56.62 ± 5.13", "–"]})
    (tmp_path / "tables").mkdir()
    Table("Table 1", shown, shown, ["a note"]).write(tmp_path / "tables/table1.csv")
    return tmp_path


def test_a_table_is_quoted_between_its_marks_and_nothing_else_changes(results):
    assert with_quotes(DOCUMENT, results).split("\n") == [
        *("# Findings", "", "Table 1:", "<!-- quote: tables/table1 -->"),
        "| Method   | Robust (%)   |",
        "|----------|--------------|",
        "| None     | 56.62 ± 5.13 |",
        r"| a\|b     | –            |",
        *("<!-- end of quote -->", "And so on.", ""),
    ]


def test_quoting_again_changes_nothing(results):
    once = with_quotes(DOCUMENT, results)
    assert with_quotes(once, results) == once


def test_rows_are_quoted_by_a_text_in_one_of_their_cells(results):
    quoted = with_quotes(DOCUMENT.replace("tables/table1", "tables/table1: None; –"), results)
    assert [line.split()[1] for line in quoted.splitlines() if line.startswith("| ")] == [
        *("Method", "None", r"a\|b")
    ]
    quoted = with_quotes(DOCUMENT.replace("tables/table1", "tables/table1: None"), results)
    assert r"a\|b" not in quoted


def test_a_row_that_is_not_there_is_named(results):
    with pytest.raises(UserError, match="has no row with 'Median', which is quoted"):
        with_quotes(DOCUMENT.replace("tables/table1", "tables/table1: None; Median"), results)


def test_what_the_runs_have_cost_is_quoted(results):
    write_runs(results / "runs.csv", runs_of_cell("full", natural_accuracy=[98.0, 99.0]))
    quoted = with_quotes(DOCUMENT.replace("tables/table1", "cost"), results)
    assert "| Training   | 80 seconds in all, 8 seconds of them DeepFool's |" in quoted


def test_a_document_that_quotes_nothing_stays_as_it_is(results):
    assert with_quotes("# Findings\n", results) == "# Findings\n"


def test_a_table_that_is_not_there_is_named(results):
    with pytest.raises(UserError, match=r"tables/none\.json does not exist"):
        with_quotes(DOCUMENT.replace("table1", "none"), results)


@pytest.mark.parametrize(
    "what", ["primary claims", "verdicts", "claims of table1", "claims judged X"]
)
def test_claims_that_are_not_there_are_named(results, what):
    with pytest.raises(UserError, match=r"claims\.csv does not exist"):
        with_quotes(DOCUMENT.replace("tables/table1", what), results)


def test_the_verdict_by_the_other_attack_stands_beside_where_there_is_one():
    def quoted(what):
        text = with_quotes(DOCUMENT.replace("tables/table1", what), PROJECT / "results/reference")
        header, _, *rows = (line.split("|") for line in text.splitlines() if line.startswith("|"))
        return header[-2].strip(), {row[1].strip(): row[-2].strip() for row in rows}

    column, by_claim = quoted("primary claims")
    assert column == "By AutoAttack"
    (spread,) = (cell for says, cell in by_claim.items() if says.startswith("Pruning improves"))
    assert spread.split()[-1] in ("UNDERPOWERED", "REPRODUCED", "DIFFERS")
    (seconds,) = (cell for says, cell in by_claim.items() if "less training time" in says)
    assert seconds == "–"
    assert quoted("claims of appendix_c")[0] == "Verdict"


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_document_that_cannot_be_read_is_named(content, results):
    path = results / "document.md"
    if content:
        path.write_bytes(content)
    ended = run_program("quote", results, path, cwd=PROJECT)
    assert (ended.status, "Traceback" in ended.printed) == (1, False)
    assert ended.printed.startswith(f"error: {path} cannot be read")


@pytest.mark.workflow
@pytest.mark.slow
def test_the_claims_that_the_paper_stands_on_are_quoted_with_their_verdicts(finished):
    results = finished[0] / "results/smoke"
    rows = pd.read_csv(results / "claims.csv", dtype=str, keep_default_na=False)
    rows = rows[rows["primary"] == "True"]
    quoted = with_quotes(DOCUMENT.replace("tables/table1", "primary claims"), results)
    table = [line for line in quoted.splitlines() if line.startswith("|")][2:]
    assert len(table) == len(rows) > 0
    for says, verdict in zip(rows["says"], rows["verdict"], strict=True):
        assert any(says in line and verdict in line for line in table)


def rows_quoted(what, results):
    quoted = with_quotes(DOCUMENT.replace("tables/table1", what), results)
    lines = [line for line in quoted.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.split(" | ")] for line in lines]


@pytest.mark.workflow
@pytest.mark.slow
def test_the_claims_that_a_table_shows_are_quoted(finished):
    results = finished[0] / "results/smoke"
    rows = pd.read_csv(results / "claims.csv", dtype=str, keep_default_na=False)
    shown = rows[[("table1" in names.split()) for names in rows["shown_in"]]]
    quoted = [row[0].removeprefix("| ") for row in rows_quoted("claims of table1", results)]
    assert sorted(quoted) == sorted(shown["says"])
    assert 0 < len(shown) < len(rows)


@pytest.mark.workflow
@pytest.mark.slow
def test_the_claims_that_have_a_verdict_are_quoted(finished):
    results = finished[0] / "results/smoke"
    rows = pd.read_csv(results / "claims.csv", dtype=str, keep_default_na=False)
    judged = rows[rows["verdict"] == "REPRODUCED"]
    quoted = [row[0].removeprefix("| ") for row in rows_quoted("claims judged REPRODUCED", results)]
    assert sorted(quoted) == sorted(judged["says"])


@pytest.mark.workflow
@pytest.mark.slow
def test_every_claim_is_counted_in_its_group(finished):
    results = finished[0] / "results/smoke"
    groups = pd.read_csv(results / "claims.csv")["group"].value_counts()
    quoted = rows_quoted("verdicts", results)
    counts = [sum(map(int, row[1:-1])) for row in quoted]
    assert sorted(counts[1:]) == sorted(groups)  # the first are the primary ones
