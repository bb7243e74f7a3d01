"""Whether results that were made again are those that were published."""

import pytest

from advprune.archive import compare
from advprune.archive.compare import differences, take_over
from advprune.errors import UserError

TABLE = "method,n,mean\nlow-loss,120,51.39000000000001\nfull,120,0.0\n"
TEXT = (
    "# Table 1\n\n| None | 56.62 ± 5.13 | p < 0.001 |\n\n- 120 runs of 2026-11-29, version 1.2.3\n"
)


@pytest.fixture
def folders(tmp_path):
    """Two folders with the same results."""
    for name in ("made", "published"):
        (tmp_path / name / "tables").mkdir(parents=True)
        (tmp_path / name / "tables/table1.csv").write_text(TABLE)
        (tmp_path / name / "tables/table1.md").write_text(TEXT)
        (tmp_path / name / "config.json").write_text('{\n  "scale": "reference"\n}\n')
    return tmp_path / "made", tmp_path / "published"


def changed(folders, name, old, new):
    path = folders[0] / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return differences(*folders)


def test_equal_results_have_no_differences(folders):
    assert differences(*folders) == []


@pytest.mark.parametrize("new", ["51.390000000000015", "51.39"])
def test_the_last_digits_of_a_number_may_differ(folders, new):
    assert changed(folders, "tables/table1.csv", "51.39000000000001", new) == []


def test_a_number_of_a_table_with_five_decimals_may_be_rounded_the_other_way(folders):
    assert changed(folders, "tables/table1.csv", "0.0\n", "0.00001\n") == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("51.39000000000001", "51.3901", "row 1 (low-loss), mean: 51.3901, was 51.39000000000001"),
        ("0.0\n", "0.00002\n", "row 2 (full), mean: 0.00002, was 0.0"),
        ("0.0\n", "1.5e-05\n", "row 2 (full), mean: 1.5e-05, was 0.0"),
        ("0.0\n", "0.1\n", "row 2 (full), mean: 0.1, was 0.0"),
        ("0.0\n", "\n", "row 2 (full), mean: empty, was 0.0"),
        ("full", "random", "row 2 (full), method: random, was full"),
        ("full,120,0.0\n", "", "it has 1 rows, and had 2"),
        ("full,120,0.0", "full,120", "row 2 (full): 2 cells, was 3, under 3 columns"),
        ("full,120,0.0", "", "row 2 (full): 0 cells, was 3, under 3 columns"),
        (TABLE, "", "its columns are , and were method, n, mean"),
        ("mean", "median", "its columns are method, n, median, and were method, n, mean"),
    ],
)
def test_another_number_or_word_of_a_table_is_named_by_row_and_column(folders, old, new, told):
    assert changed(folders, "tables/table1.csv", old, new) == [f"tables/table1.csv: {told}"]


@pytest.mark.parametrize(("old", "new"), [("56.62", "56.63"), ("0.001", "0.002")])
def test_the_last_printed_digit_may_be_rounded_the_other_way(folders, old, new):
    assert changed(folders, "tables/table1.md", old, new) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("56.62", "56.72"),
        ("± 5.13", "± 5.1"),
        ("None", "Random"),
        ("120", "121"),
        ("1.2.3", "1.2.4"),
    ],
)
def test_other_text_is_shown_with_its_line(folders, old, new):
    (found,) = changed(folders, "tables/table1.md", old, new)
    line = next(line for line in TEXT.splitlines() if old in line)
    assert found.endswith(f"{line.replace(old, new)!r}, was {line!r}")


def test_a_row_without_all_cells_is_no_result_even_if_it_was_published_so(folders):
    for folder in folders:
        (folder / "runs.csv").write_text("seed,loss\n0\n")
    assert differences(*folders) == ["runs.csv: row 1 (0): 1 cells, was 1, under 2 columns"]


def test_empty_tables_are_equal(folders):
    for folder in folders:
        (folder / "runs.csv").touch()
    assert differences(*folders) == []


def test_folders_without_results_are_refused(tmp_path):
    with pytest.raises(UserError, match=f"^neither {tmp_path}/a nor {tmp_path}/b has anything"):
        differences(tmp_path / "a", tmp_path / "b")


def test_a_file_that_is_not_made_any_more_is_named(folders):
    (folders[0] / "config.json").unlink()
    assert differences(*folders) == ["config.json was published and is not made any more"]


def test_a_new_file_is_named(folders):
    (folders[0] / "claims.csv").write_text("id\n")
    assert differences(*folders) == ["claims.csv is made and was not published"]


def test_of_many_differences_in_a_file_the_first_are_shown(folders):
    for folder, value in zip(folders, "01", strict=True):
        (folder / "runs.csv").write_text("seed\n" + f"{value}\n" * 20)
    found = differences(*folders)
    assert (len(found), found[-1]) == (6, "runs.csv: and 15 more differences")


@pytest.fixture
def large(folders, monkeypatch):
    """The same with the table of a figure that is too large to be published, and is taken over."""
    made, published = folders
    monkeypatch.setattr(compare, "LARGEST", 100)
    for name in ("logs/table1.log", "figures/figure6.png"):
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text("seed\n")
    (made / "figures/figure6.csv").write_text("loss\n" + "1\n" * 100)
    (made / "figures/figure6.csv.sha256").write_text("abc  figure6.csv\n012  figure6.png\n")
    take_over(made, published)
    return folders


def test_what_was_taken_over_does_not_differ(large):
    assert differences(*large) == []


def test_of_a_large_table_the_hash_is_taken_over_and_no_picture_nor_table_of_a_figures_runs(large):
    published = large[1]
    new = {str(path.relative_to(published)) for path in published.glob("[!ct]*/*")}
    assert new == {"figures/figure6.csv.sha256"}


def test_a_large_table_that_came_out_otherwise_is_noticed(large):
    (large[0] / "figures/figure6.csv.sha256").write_text("def  figure6.csv\n012  figure6.png\n")
    assert differences(*large) == [
        "figures/figure6.csv: it has another SHA-256 than that which was published"
    ]


def test_what_was_published_and_is_not_made_stays(large):
    made, published = large
    (published / "README.md").write_text("kept")
    take_over(made, published)
    assert (published / "README.md").read_text() == "kept"
