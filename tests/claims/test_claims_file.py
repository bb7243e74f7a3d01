"""The file of claims: what it may say, and what is said where it is wrong."""

import pytest
from claim_tools import content_of_claim, pair, read_one, worded, write_claims
from workflow_tools import PROJECT

from advprune.claims.claim import GROUPS, read_claims
from advprune.claims.rules import Verdict
from advprune.errors import UserError
from advprune.plan.config import load_config
from advprune.plan.exhibits import EXHIBITS

CLAIMS = read_claims(PROJECT / "config/paper_claims.yaml")
BY_ID = {claim.id: claim for claim in CLAIMS}
GREATER = {"by": "greater"}


def test_every_claim_of_the_file_is_read_and_in_a_known_group():
    assert len(CLAIMS) == 73
    assert {claim.group for claim in CLAIMS} == set(GROUPS)


def test_about_eight_claims_are_primary_and_none_of_them_about_the_toy_model_or_the_config():
    primary = [claim for claim in CLAIMS if claim.primary]
    assert 7 <= len(primary) <= 9
    assert not {claim.group for claim in primary} & {"identity", "check", "number"}


def test_every_claim_is_shown_in_a_table_or_figure():
    assert [claim.id for claim in CLAIMS if not claim.shown_in] == []
    shown = {name for claim in CLAIMS for name in claim.shown_in}
    assert shown <= set(EXHIBITS)
    assert {"attacks", "curves", "correlations", "distribution", "collapse"} <= shown


def test_direction_and_size_of_the_main_effect_are_claims_of_their_own():
    direction = BY_ID["abstract-better-and-faster-robust"]
    size = BY_ID["abstract-better-and-faster-robust-size"]
    assert direction.quantity == size.quantity
    assert (direction.rule.by, direction.group) == ("greater", "effect")
    assert (size.rule.by, size.group) == ("number", "size")
    assert size.printed.value == pytest.approx(64.17 - 51.39)


def test_every_printed_time_needs_the_clock_of_the_paper():
    times = [
        claim
        for claim in CLAIMS
        if claim.printed and getattr(claim.quantity, "metric", "") == "training_seconds"
    ]
    assert len(times) == 4
    paper, released = (
        load_config(),
        load_config(PROJECT / "config/released.yaml"),
    )
    for claim in times:
        assert len(claim.unmet(paper)) == 2
        assert claim.unmet(released) == []


def test_a_printed_difference_has_the_errors_of_both_numbers():
    # Standard errors 4.67 / 1.9801 = 2.358 and 6.61 / 1.9801 = 3.338, together 4.087.
    printed = BY_ID["abstract-better-and-faster-robust-size"].printed
    assert printed.half_width == pytest.approx(4.087 * 1.9801, abs=0.01)
    assert printed.estimate().lower.error == pytest.approx(4.087, abs=0.001)


def test_a_printed_percentage_has_the_errors_of_both_numbers():
    printed = BY_ID["table1-low-loss-time"].printed
    assert printed.value == pytest.approx(100 * 29.91 / 39.09)
    relative = ((0.11 / 29.91) ** 2 + (0.12 / 39.09) ** 2) ** 0.5
    assert printed.half_width == pytest.approx(printed.value * relative, rel=1e-6)


def test_a_number_without_interval_has_none():
    assert BY_ID["figure6-mnist-r"].printed.half_width is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"group": "other"}, "must be one of number, effect"),
        ({"judge": {"by": "within", "margin": 5}}, "must be one of number, greater"),
        ({"judge": {"by": "number", "margin": 5}}, "judge.rounding is missing"),
        ({"judge": {"by": "number", "margin": 0, "rounding": 0}}, "must be a number above 0"),
        ({"printed": {"value": 50}}, "printed.runs is missing"),
        ({"printed": {"value": 5, "half_width": 1, "runs": 1}}, "is of one run"),
        ({"printed": {"value": 5, "half_width": 1, "less": 2, "runs": 9}}, "of one of value and"),
        ({"shown_in": ["figure9"]}, "no table or figure"),
        ({"studies": []}, "is about 1 of the studies"),
        ({"needs": {}}, "settings of the config"),
        ({"judge": {"by": "greater"}}, "printed is judged by 'number'"),
        ({"judge": {"by": "equal", "to": 1}}, "cannot be judged by 'equal'"),
        ({"judge": {"by": "no_loss", "tolerance": 1}}, "takes a difference"),
    ],
)
def test_what_is_wrong_with_a_claim_is_said_in_one_line(tmp_path, changes, words):
    with pytest.raises(UserError) as caught:
        read_one(tmp_path, **changes)
    assert words in str(caught.value)
    assert "a-claim" in str(caught.value)


@pytest.mark.parametrize(
    ("quantity", "judge", "words"),
    [
        ({"kind": "other"}, GREATER, "quantity 'other' is unknown"),
        (pair("difference", ("no-such", 0.5)), GREATER, "method 'no-such' is unknown"),
        (pair("difference", metric="speed"), GREATER, "metric 'speed' is unknown"),
        ({"kind": "convergence"}, GREATER, "takes first, second"),
        ({"kind": "deepfool_within", "iterations": 3}, GREATER, "counts 5 iterations"),
        (pair("spread_percent_of"), GREATER, "is judged by 'at_least' or 'at_most'"),
        (pair("difference", ("random", "each below 1")), GREATER, "needs in: all or in: most"),
        (pair("difference"), {"by": "greater", "in": "all"}, "has one cell"),
        ({"kind": "config", "of": "training"}, GREATER, "is judged by 'equal' alone"),
    ],
)
def test_what_is_wrong_with_a_quantity_is_said_in_one_line(tmp_path, quantity, judge, words):
    with pytest.raises(UserError, match="a-claim") as caught:
        read_one(tmp_path, worded(quantity, judge))
    assert words in str(caught.value)


def test_lists_of_different_lengths_do_not_go_together(tmp_path):
    quantity = pair("difference")
    quantity["first"]["method"] = ["random", "low-loss", "high-loss"]
    quantity["second"]["method"] = ["random", "low-loss"]
    with pytest.raises(UserError, match="first names 3 cells and second 2"):
        read_one(tmp_path, worded(quantity, {"by": "greater", "in": "all"}))


def test_an_id_may_be_given_once(tmp_path):
    path = write_claims(tmp_path / "claims.yaml", content_of_claim(), content_of_claim())
    with pytest.raises(UserError, match="'a-claim' is given to 2 claims"):
        read_claims(path)


def test_not_run_is_a_verdict_like_the_others():
    assert list(Verdict) == ["REPRODUCED", "DIFFERS", "UNDERPOWERED", "NOT RUN"]
