"""The report: one page with every verdict, table and figure, and how they were made."""

import re

import pytest
from report_tools import SMOKE, Page, page_of
from workflow_tools import PROJECT, run_program

from advprune.errors import UserError
from advprune.plan.exhibits import runs_of
from advprune.report.page import report_page
from advprune.storage.records import write_hashes

# What it does not say.


def test_the_whole_config_is_shown_without_paths_of_the_machine(results):
    config = SMOKE | {"data_root": "/home/somebody/data"}
    html = report_page(results, config, results / "runs")
    assert '"max_iterations"' in Page(html).text
    assert "somebody" not in html


def test_the_page_has_no_path_of_the_machine(results):
    html = report_page(results, SMOKE, results / "runs")
    assert str(results) not in html
    assert str(PROJECT) not in html


# Links.


def test_every_link_leads_to_a_file_beside_the_page_or_a_place_on_it(results):
    page = page_of(results)
    links, ids = page.all("href"), page.all("id")
    files = [link for link in links if not link.startswith("#")]
    assert files
    assert [link for link in files if not (results / link).exists()] == []
    assert [link for link in links if link.startswith("#") and link[1:] not in ids] == []


def test_an_id_names_one_element(results):
    ids = page_of(results).all("id")
    assert len(ids) == len(set(ids))


# Damage.


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("figures/figure3.png", "no picture", "figure3.png is not a picture: delete it"),
        ("tables/table1.json", "no table", "table1.json is not JSON"),
        ("runs.csv", "", "runs.csv is not a table of runs"),
    ],
)
def test_a_file_of_another_kind_is_named_with_what_to_do(results, name, content, said):
    (results / name).write_text(content)
    csv = (results / name).with_suffix(".csv")
    write_hashes(csv, results / name)
    assert said in refusal(results)


@pytest.mark.parametrize(
    "name",
    [
        *("runs.csv", "claims.csv", "claims.json", "tables/table1.json", "figures/figure3.png"),
    ],
)
def test_a_number_altered_in_what_the_page_shows_is_refused(results, name):
    alter(results / name)
    path = results / name
    assert refusal(results) == f"{path} is not what was written: delete {path} and run again"


@pytest.mark.parametrize("name", ["run.json", "evaluation.json"])
def test_a_number_altered_in_a_record_is_refused(results, name):
    path = results / "runs" / runs_of("all", SMOKE)[-1].folder / name
    alter(path)
    assert refusal(results).startswith(f"{path} is damaged, or was edited: delete {path}")


def alter(path):
    content = path.read_bytes()
    digit = re.search(rb"\d", content).start()
    path.write_bytes(content[:digit] + bytes([content[digit] ^ 1]) + content[digit + 1 :])


def refusal(results):
    """The message with which the page is not made."""
    with pytest.raises(UserError) as raised:
        page_of(results)
    return str(raised.value)


def test_the_program_writes_the_page_into_the_folder_of_results(results):
    ended = run_program(
        *("report", "--config", results / "config.json", "--runs", results / "runs"),
        *("--output", results / "report.html"),
        cwd=PROJECT,
    )
    assert ended.status == 0, ended.printed
    html = report_page(results, SMOKE, results / "runs")
    assert (results / "report.html").read_text(encoding="utf-8") == html
