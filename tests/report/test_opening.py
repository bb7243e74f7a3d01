"""What the report opens with: the primary claims, and our numbers beside the paper's."""

import re

from report_tools import SMOKE, page_of, write_results

from advprune.plan.config import load_config
from advprune.report.page import report_page

SAID = r'<li>\s*<a href="#claim-(\w+)">(.*?)</li>'


def test_the_page_opens_with_the_primary_claims_and_then_the_numbers_beside_the_papers(results):
    sections = [*page_of(results).sections]
    assert sections[:4] == ["primary", "replication", "claims", "figure1"]
    assert sections[-1] == "origin"


def test_the_primary_claims_are_counted_and_named_with_what_no_effect_would_score(results):
    primary = page_of(results).sections["primary"]
    assert "1 REPRODUCED 0 DIFFERS 1 UNDERPOWERED 0 NOT RUN" in primary
    assert "without any effect of pruning 0.1 would be REPRODUCED, 0.1 of them falsely" in primary
    assert "A first claim" in primary
    assert "Second" not in primary


def test_every_group_is_counted_by_itself(results):
    claims = page_of(results).sections["claims"]
    assert "primary claims 2 1 0 1 0" in claims
    assert "effects of pruning 2 1 0 1 0" in claims
    assert "numbers 2 0 1 0 1 without any effect of pruning 0.5 would be REPRODUCED" in claims
    assert "“no loss” 1 1 0 0 0" in claims
    assert "1 of all 5 verdicts would change" in claims


def test_claims_that_were_not_run_come_last_and_primary_ones_first(results):
    order = [name for name in page_of(results).all("id") if name.startswith("claim-")]
    wanted = ["first", "third", "second", "fifth", "fourth"]
    assert order == [f"claim-{name}" for name in wanted]


def test_claims_that_were_not_run_unfold_wherever_they_are_listed(results):
    html = report_page(results, SMOKE, results / "runs")
    unfolded = re.sub(r"<details.*?</details>", "", html, flags=re.DOTALL)
    listed, shown = (
        {name: "NOT RUN" in text for name, text in re.findall(SAID, part, re.DOTALL)}
        for part in (html, unfolded)
    )
    assert any(listed.values())
    assert not any(shown.values())


def test_the_table_can_still_be_sorted_by_the_papers_order(results):
    html = report_page(results, SMOKE, results / "runs")
    assert re.findall(r'data-label="Place" data-sort="(\d)"', html) == ["0", "2", "1", "4", "3"]


def test_what_departs_from_the_papers_scale_unfolds(results):
    html = report_page(results, SMOKE, results / "runs")
    (details,) = re.findall(r'<details class="departures">(.*?)</details>', html, re.DOTALL)
    assert "<summary>What departs from the paper’s scale</summary>" in details
    assert "dataset mnist5k instead of mnist" in details
    (warning,) = re.findall(r'<div class="warning".*?</div>', html, re.DOTALL)
    assert "instead of" not in warning


def test_nothing_unfolds_where_nothing_departs(tmp_path):
    config = load_config()
    page = page_of(write_results(tmp_path, config), config)
    assert "What departs from the paper’s scale" not in page.text


def test_the_headline_is_not_repeated_among_the_notes(results):
    claims = page_of(results).sections["claims"]
    assert claims.count("primary claims") == 1
    assert "how they are judged" in claims
