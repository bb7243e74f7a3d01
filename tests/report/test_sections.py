"""The tables and figures in the report."""

import pytest
from report_tools import CLAIMS, page_of

from advprune.plan.exhibits import EXHIBITS
from advprune.report.sections import WIDEST_PIXELS


def test_a_picture_is_part_of_the_page_and_no_wider_than_a_screen_needs(results):
    pictures = [attrs for tag, attrs in page_of(results).elements if tag == "img"]
    assert len(pictures) == sum(exhibit.folder == "figures" for exhibit in EXHIBITS.values())
    assert {attrs["src"].partition(",")[0] for attrs in pictures} == {"data:image/webp;base64"}
    assert {(attrs["width"], attrs["height"]) for attrs in pictures} == {(f"{WIDEST_PIXELS}", "20")}
    assert all(attrs["alt"] for attrs in pictures)


def test_a_table_is_shown_as_it_is_printed(results):
    assert "Method p None 1.0 Low | high 0.6 a note" in page_of(results).sections["table1"]


@pytest.mark.parametrize("path", ["figures/figure3", "tables/table1"])
def test_a_table_or_figure_that_is_missing_is_said_to_be(results, path):
    for file in results.glob(f"{path}.*"):
        file.unlink()
    sections = page_of(results).sections
    missing = [text for text in sections.values() if "Not there:" in text]
    assert len(missing) == 1
    assert f"Not there: {path} has not been made" in missing[0]


def test_a_table_or_figure_stands_beside_the_claims_that_it_shows(results):
    sections = page_of(results).sections
    said = {
        name: [claim[3] for claim in CLAIMS if claim[3] in sections[name]]
        for name in ("table1", "figure3", "standard_accuracy", "figure4")
    }
    assert said == {
        "table1": ["A first claim"],
        "figure3": ["Second", "Fourth"],
        "standard_accuracy": ["Second"],
        "figure4": [],
    }
