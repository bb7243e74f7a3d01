"""docs/cost.md is what the model says of the committed costs and measurements."""

import numpy as np
import pytest

import cost_page
from advprune.analysis.two_way import two_way_mean


def test_the_page_is_that_of_the_costs_and_scales_as_they_are():
    written = cost_page.PAGE.read_text(encoding="utf-8")
    assert written == cost_page.page(), "write it again: make cost"


def test_what_the_paper_costs_is_said_beside_what_was_found():
    written = cost_page.FINDINGS.read_text(encoding="utf-8")
    assert cost_page.of_paper() in written
    assert written == cost_page.findings(), "write it again: make cost"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0"), (36, "0.01"), (5400, "1.5"), (3600 * 12_345, "12,000")]
)
def test_hours_have_two_digits(seconds, text):
    assert cost_page.hours(seconds) == text


def test_more_seeds_are_worth_more_images():
    last = [line.split("|")[-2] for line in cost_page.two_way_curve().splitlines()[2:]]
    enough = [int(cell.replace(",", "")) for cell in last]
    assert enough == sorted(enough) and enough[0] < enough[-1]


def test_the_made_up_networks_spread_about_as_those_of_table_1():
    accuracies = cost_page.verdicts(400, 400, np.random.default_rng(0)).mean(axis=1)
    assert 45 < accuracies.mean() < 70
    assert 25 < accuracies.std() < 38


def test_the_curve_is_that_of_the_intervals_in_the_tables():
    of_seeds, of_images, residual = cost_page.components()
    random = np.random.default_rng(1)
    drawn = [two_way_mean(cost_page.verdicts(60, 50, random)).standard_error for _ in range(100)]
    expected = np.sqrt(of_seeds / 60 + of_images / 50 + residual / 3000)
    assert np.sqrt(np.mean(np.square(drawn))) == pytest.approx(expected, rel=0.05)
