"""The table of appendix C: simulation and formulas of the toy model."""

import copy

import pytest

from advprune.plan.config import load_config
from advprune.tables.appendix_c import appendix_c
from advprune.toy.features import QUANTITIES


def table(**changes):
    config = copy.deepcopy(load_config())
    config["appendix_c"] |= {"fragile_features": 40, "points": 500, "seeds": 3} | changes
    return appendix_c(config)


def test_the_table_shows_every_quantity():
    assert list(table().numbers["quantity"]) == list(QUANTITIES)


def test_bounds_are_shown_as_such():
    shown = table().shown.set_index("Quantity")["Paper's formula (%)"]
    assert shown["Fragile classifier: standard accuracy"] == "above 99.000"
    assert shown["Robust classifier: standard accuracy"] == "75.000"


def test_the_latex_table_holds_no_sign_that_text_mode_cannot_print(tmp_path):
    table(fragile_features=25).write(tmp_path / "table.csv")
    text = (tmp_path / "table.tex").read_text(encoding="utf-8")
    assert [sign for sign in text if ord(sign) > 126 or sign in "<>|"] == []


@pytest.mark.parametrize(("share", "said"), [(0.5, True), (0.6, False)])
def test_the_notes_say_when_the_two_formulas_cannot_be_told_apart(share, said):
    assert ("the two are equal" in " ".join(table(robust_share=share).notes)) == said


@pytest.mark.parametrize(("features", "said"), [(36, True), (37, False)])
def test_the_notes_say_when_the_adversary_reaches_the_robust_feature(features, said):
    assert ("ε is 1 or more" in " ".join(table(fragile_features=features).notes)) == said


def test_one_seed_gives_a_mean_without_an_interval():
    assert not table(seeds=1).shown["Simulated (%)"].str.contains("±").any()
