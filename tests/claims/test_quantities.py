"""What claims are about, measured on runs made by hand."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from claim_tools import evidence, pair
from hypothesis import given
from hypothesis import strategies as st
from run_tables import runs_of_cell
from scipy import stats

from advprune.claims.evidence import NotMeasuredError
from advprune.claims.quantities import parse_quantity

pytestmark = pytest.mark.filterwarnings("error")

ROBUST = "robust_accuracy"


def measured(content, *cells, study="mnist", **evidence_of_figures):
    return parse_quantity(content).measure(evidence(*cells, **evidence_of_figures), study)


def interval(found):
    return dataclasses.astuple(found.interval)


def cell(method, p, values, **changes):
    return runs_of_cell(method, p, autoattack_accuracy=values, **changes)


FULL = cell("full", "1.0", [50.0, 52, 54])


def of_cell(kind, method, p, **fields):
    first = {"method": method, "p": p}
    return {"kind": kind, "metric": ROBUST, "first": first, **fields}


# Which runs.


def test_training_on_all_data_is_the_same_run_for_every_method():
    found = measured(of_cell("mean", "low-loss", 1.0), FULL)
    assert (found.interval.value, found.n) == (52, (3,))


def test_training_without_an_adversary_is_not_training_on_all_data():
    standard = cell("standard", "1.0", [0.0, 2])
    assert measured(of_cell("mean", "standard", 1.0), FULL, standard).interval.value == 1


def test_runs_that_were_pruned_later_are_not_taken():
    later = cell("random", "0.5", [90.0, 90], e=2)
    found = measured(of_cell("mean", "random", 0.5), cell("random", "0.5", [40.0, 42]), later)
    assert (found.interval.value, found.n) == (41, (2,))


def test_robust_accuracy_is_under_the_attack_that_the_config_names():
    runs = runs_of_cell("random", "0.5", autoattack_accuracy=[1, 2], apgd_ce_40x5_accuracy=[3, 4])
    content = of_cell("mean", "random", 0.5)
    found = measured(content, runs, robust_metric="apgd_ce_40x5_accuracy")
    assert found.interval.value == 3.5


def test_an_average_over_p_is_one_of_seeds_that_have_every_p():
    found = measured(
        of_cell("mean", "random", "below 1"),
        cell("random", "0.3", [10.0, 20, 30]),
        cell("random", "0.6", [30.0, 40]),
        cell("random", "1.0", [99.0, 99]),
    )
    assert (found.interval.value, found.n) == (25, (2,))


def test_averages_over_p_are_compared_over_the_same_p():
    # At p = 0.3 there is only random pruning: it says nothing of the two methods.
    found = measured(
        pair("difference", ("random", "below 1"), ("low-loss", "below 1")),
        cell("random", "0.3", [0.0, 0]),
        cell("random", "0.6", [40.0, 42]),
        cell("low-loss", "0.6", [40.0, 42]),
    )
    assert found.interval.value == 0


def test_methods_that_were_run_at_no_p_in_common_are_not_compared():
    with pytest.raises(NotMeasuredError, match="random and low-loss were run at no p in common"):
        measured(
            pair("difference", ("random", "below 1"), ("low-loss", "below 1")),
            cell("random", "0.3", [1.0, 2]),
            cell("low-loss", "0.6", [1.0, 2]),
        )


def test_where_no_seed_has_every_p_there_is_no_average():
    with pytest.raises(NotMeasuredError, match=r"no seed was run at every p of 0\.3, 0\.6"):
        measured(
            of_cell("mean", "random", "below 1"),
            runs_of_cell("random", "0.3", autoattack_accuracy=[1.0]),
            runs_of_cell("random", "0.6", autoattack_accuracy=[1.0], first_seed=1),
        )


def test_what_an_adversary_takes_is_measured_run_by_run():
    content = of_cell("mean", "random", 0.5) | {"metric": "natural_less_robust"}
    runs = runs_of_cell(
        "random", "0.5", natural_accuracy=[98.0, 97], autoattack_accuracy=[50.0, 40]
    )
    assert interval(measured(content, runs))[0] == pytest.approx((48 + 57) / 2)


@pytest.mark.parametrize("kind", ["difference", "p_value", "percent_of", "spread_percent_of"])
def test_cells_without_runs_are_not_measured(kind):
    with pytest.raises(NotMeasuredError, match=r"no run of random at p = 0\.5"):
        measured(pair(kind), FULL)


# Single quantities.


def test_the_interval_of_a_mean_is_t_based():
    # Variance 4 of three values: 4.303 * sqrt(4 / 3).
    reach = 4.302653 * math.sqrt(4 / 3)
    assert interval(measured(of_cell("mean", "full", 1.0), FULL)) == pytest.approx(
        (52, 52 - reach, 52 + reach), rel=1e-6
    )


def test_a_difference_is_the_first_less_the_second():
    found = measured(pair("difference"), FULL, cell("random", "0.5", [40.0, 42, 44]))
    reach = stats.t.ppf(0.975, 4) * math.sqrt(8 / 3)
    assert interval(found) == pytest.approx((-10, -10 - reach, -10 + reach))
    assert found.n == (3, 3)


def test_a_p_value_is_of_the_first_being_the_greater():
    found = measured(pair("p_value"), FULL, cell("random", "0.5", [60.0, 62, 64]))
    assert found.interval.value == pytest.approx(stats.t.sf(10 / math.sqrt(8 / 3), 4))
    assert math.isnan(found.interval.low)


def test_a_ratio_is_of_geometric_means_with_an_interval_of_their_logarithms():
    # sqrt(4 * 9) is 300% of sqrt(1 * 4).
    times = [
        runs_of_cell("random", "0.5", training_seconds=[4.0, 9]),
        runs_of_cell("full", "1.0", training_seconds=[1.0, 4]),
    ]
    found = measured(pair("percent_of", metric="training_seconds"), *times)
    by_hand = stats.ttest_ind(np.log([4, 9]), np.log([1, 4]), equal_var=False)
    low, high = 100 * np.exp(by_hand.confidence_interval(0.95))
    assert interval(found) == pytest.approx((300, low, high))


def test_there_is_no_ratio_of_what_can_be_zero():
    with pytest.raises(NotMeasuredError, match="values above 0"):
        measured(pair("percent_of"), FULL, cell("random", "0.5", [0.0, 1]))


def test_the_ratio_of_spreads_is_that_of_standard_deviations():
    wide = cell("random", "0.5", list(np.linspace(0, 100, 30)))
    narrow = cell("full", "1.0", list(np.linspace(30, 70, 30)))
    value, low, high = interval(measured(pair("spread_percent_of"), wide, narrow))
    assert value == pytest.approx(250)
    # Even values spread less evenly than normal ones: the F interval is a little wider.
    f = stats.f.ppf([0.975, 0.025], 29, 29)
    assert 250 / math.sqrt(f[0]) < low < 220
    assert 280 < high < 250 / math.sqrt(f[1])


three = st.lists(st.integers(0, 100), min_size=2, max_size=4).filter(lambda v: len(set(v)) > 1)


@given(first=three, second=three)
def test_the_ratio_of_spreads_of_a_few_runs_has_an_interval_around_it(first, second):
    cells = (
        cell("random", "0.5", list(map(float, first))),
        cell("full", "1.0", list(map(float, second))),
    )
    value, low, high = interval(measured(pair("spread_percent_of"), *cells))
    assert 0 <= low <= value <= high


@pytest.mark.parametrize(
    ("first", "second"),
    [([1.0], [2.0, 3]), ([1.0, 2], [3.0]), ([1.0, 2], [3.0, 3])],
    ids=["one run", "against one run", "against runs without spread"],
)
def test_without_two_spreads_there_is_no_ratio_of_them(first, second):
    found = measured(
        pair("spread_percent_of"), cell("random", "0.5", first), cell("full", "1.0", second)
    )
    assert np.isnan(interval(found)).all()


def test_a_share_is_of_runs_above_the_threshold_and_not_at_it():
    content = of_cell("share_above", "random", 0.5, threshold=90)
    found = measured(content, cell("random", "0.5", [90.0, 90.1, 10, 95]))
    # Wilson's interval of 2 of 4, from tables.
    assert interval(found) == pytest.approx((50, 15.0, 85.0), abs=0.05)


# Along p.


def on_a_line(start, slope, shares=(0.25, 0.5, 0.75, 1.0), seeds=3):
    return [
        runs_of_cell(
            "full" if share == 1 else "low-loss",
            str(share),
            training_seconds=[start + slope * share + seed for seed in range(seeds)],
        )
        for share in shares
    ]


def along_p(kind):
    return {"kind": kind, "metric": "training_seconds", "method": "low-loss"}


def test_the_slope_of_a_line_is_found():
    found = measured(along_p("slope"), *on_a_line(10, 40))
    by_hand = stats.linregress(
        np.repeat([0.25, 0.5, 0.75, 1], 3), [20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52]
    )
    reach = stats.t.ppf(0.975, 10) * by_hand.stderr
    assert interval(found) == pytest.approx((40, 40 - reach, 40 + reach))
    assert found.n == (12,)


def test_other_methods_are_not_on_the_line():
    other = runs_of_cell("random", "0.5", training_seconds=[1000.0])
    assert measured(along_p("slope"), *on_a_line(10, 40), other).interval.value == pytest.approx(40)


@pytest.mark.parametrize("kind", ["slope", "nonlinearity"])
def test_two_points_make_no_line(kind):
    with pytest.raises(NotMeasuredError, match="low-loss at"):
        measured(along_p(kind), *on_a_line(10, 40, shares=(0.5, 1.0)))


def test_what_is_linear_is_no_distance_from_a_line():
    assert interval(measured(along_p("nonlinearity"), *on_a_line(10, 40))) == pytest.approx(
        (0, 0, 0), abs=1e-9
    )


def test_a_bend_is_measured_in_percent_of_the_value_on_all_data():
    # Of three points at equal distances, one in the middle that is 9 too high leaves 3, 6 and 3.
    times = zip(("0.2", "0.6", "1.0"), (20.0, 69, 100), strict=True)
    cells = [
        runs_of_cell("full" if p == "1.0" else "low-loss", p, training_seconds=[value])
        for p, value in times
    ]
    found = measured(along_p("nonlinearity"), *cells)
    assert found.interval.value == pytest.approx(6)
    assert math.isnan(found.interval.low)


def test_a_seed_that_lacks_a_p_is_not_on_the_line():
    more = runs_of_cell("low-loss", "0.5", first_seed=3, training_seconds=[1000.0])
    assert measured(along_p("nonlinearity"), *on_a_line(10, 40), more).n == (3,)


# Cells that are maintained.

MAINTAINED = {"kind": "maintained_cells", "metric": ROBUST, "tolerance": 2}


def test_a_cell_is_maintained_down_to_the_tolerance():
    found = measured(
        MAINTAINED,
        FULL,
        *(cell("random", p, [value] * 3) for p, value in (("0.3", 49.9), ("0.6", 50.0))),
        *(cell("low-loss", p, [value] * 3) for p, value in (("0.3", 52.0), ("0.6", 60.0))),
        cell("standard", "1.0", [99.0] * 3),
    )
    assert (found.interval.value, found.n) == (75, (3, 12))


def test_cells_without_spread_leave_no_doubt():
    cells = [cell("random", p, [90.0] * 3) for p in ("0.3", "0.6")]
    assert interval(measured(MAINTAINED, FULL, *cells)) == (100, 100, 100)


def test_many_cells_of_few_and_scattered_runs_leave_doubt():
    # That there are 60 cells makes the mean on all data no surer: all hang on its two runs.
    full = cell("full", "1.0", [20.0, 80])
    cells = [cell("random", str(p / 100), [52.0, 52]) for p in range(20, 80)]
    assert interval(measured(MAINTAINED, full, *cells)) == (100, 0, 100)


@pytest.mark.parametrize("runs", [2, 3, 30])
def test_cells_that_are_not_maintained_seldom_seem_to_be(runs):
    # 30 cells, each truly 4 points below the mean on all data where 2 are allowed. More than half
    # are found to be maintained, with 95% confidence, in one of 40 studies at most.
    random, wrong = np.random.default_rng(0), 0
    for _ in range(40):
        full = cell("full", "1.0", list(random.normal(54, 30, runs)))
        cells = [
            cell("random", str(p / 100), list(random.normal(50, 30, runs))) for p in range(50, 80)
        ]
        wrong += measured(MAINTAINED, full, *cells).interval.low > 50
    assert wrong <= 1


def test_one_run_a_cell_gives_no_interval():
    found = measured(MAINTAINED, FULL, cell("random", "0.5", [60.0]))
    assert found.interval.value == 100
    assert math.isnan(found.interval.low)


def test_without_pruning_nothing_is_maintained():
    with pytest.raises(NotMeasuredError, match="no run with pruning"):
        measured(MAINTAINED, FULL)


# Figures 6 and 2.


def examples(study, seed, weight):
    x, noise = np.random.default_rng(seed).normal(size=(2, 50))
    return pd.DataFrame(
        {"study": study, "inverse_distance": x, "loss": weight * x + noise, "converged": 1}
    )


SCORES = pd.concat([examples("mnist", 0, 1.0), examples("cifar10", 1, 0.1)])


def fisher(study):
    """r and its interval, by Fisher's transformation."""
    rows = SCORES[SCORES["study"] == study]
    r = np.corrcoef(rows["loss"], rows["inverse_distance"])[0, 1]
    reach = stats.norm.ppf(0.975) / math.sqrt(50 - 3)
    return r, np.tanh(np.arctanh(r) - reach), np.tanh(np.arctanh(r) + reach)


@pytest.mark.parametrize("study", ["mnist", "cifar10"])
def test_a_correlation_has_fishers_interval_over_the_studys_examples(study):
    found = measured({"kind": "correlation"}, study=study, scores=SCORES)
    assert interval(found) == pytest.approx(fisher(study))
    assert found.n == (50,)


def test_a_difference_of_correlations_has_zous_interval():
    (r1, low1, high1), (r2, low2, high2) = fisher("mnist"), fisher("cifar10")
    found = measured({"kind": "correlation_difference"}, scores=SCORES)
    assert interval(found) == pytest.approx(
        (
            r1 - r2,
            r1 - r2 - math.sqrt((r1 - low1) ** 2 + (high2 - r2) ** 2),
            r1 - r2 + math.sqrt((high1 - r1) ** 2 + (r2 - low2) ** 2),
        )
    )


def embedding(*points):
    return pd.DataFrame(points, columns=["label", "x", "kept"]).assign(y=0.0)


def test_deepfool_is_quick_where_it_moved_an_example_in_few_steps():
    scores = pd.DataFrame({"study": "mnist", "converged": [1, 1, 1, 0], "iterations": [1, 5, 6, 5]})
    found = measured({"kind": "deepfool_within", "iterations": 5}, scores=scores)
    assert (found.interval.value, found.n) == (50, (4,))


def test_the_silhouettes_of_what_is_kept_are_compared_with_those_of_all():
    points = embedding((0, 0, True), (0, 1, True), (1, 10, True), (1, 11, True), (1, 0.5, False))
    found = measured({"kind": "silhouette_gain"}, embedding=points)
    # Of the kept: own class at a distance of 1, the other at 10.5 and 9.5 on average.
    kept = [1 - 1 / 10.5, 1 - 1 / 9.5]
    assert found.groups[0] == pytest.approx([*kept, *reversed(kept)])
    assert (found.n, found.interval.value > 0) == ((4, 5), True)


def test_pruning_that_keeps_everything_gains_nothing():
    points = embedding((0, 0, True), (0, 1, True), (1, 10, True), (1, 12, True))
    assert measured({"kind": "silhouette_gain"}, embedding=points).interval.value == 0


def test_one_class_alone_has_no_silhouette():
    points = embedding((0, 0, True), (0, 1, True), (1, 10, False))
    with pytest.raises(NotMeasuredError, match="fewer than two classes"):
        measured({"kind": "silhouette_gain"}, embedding=points)


# The toy model.

TOY = pd.DataFrame(
    {
        "quantity": ["robust_standard", "robust_share"],
        "simulated_mean": [90.0, 80.0],
        "simulated_half_width": [3.0, 4.0],
        "paper_value": [75.0, 80.0],
        "seeds": [10, 10],
    }
)


@pytest.mark.parametrize(
    ("less", "wanted"),
    [
        pytest.param({}, (90, 87, 93), id="itself"),
        pytest.param({"less": "robust_share"}, (10, 5, 15), id="less another"),
        pytest.param({"less": "paper_value"}, (15, 12, 18), id="less the paper's formula"),
    ],
)
def test_a_quantity_of_the_toy_model_is_read_from_its_table(less, wanted):
    found = measured({"kind": "toy", "of": "robust_standard", **less}, study="", toy=TOY)
    assert (interval(found), found.n) == (pytest.approx(wanted), (10,))


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        ({"kind": "correlation"}, "Figure 6"),
        ({"kind": "correlation_difference"}, "Figure 6"),
        ({"kind": "silhouette_gain"}, "Figure 2"),
        ({"kind": "toy", "of": "robust_share"}, "appendix C"),
    ],
)
def test_what_was_not_made_is_named(content, missing):
    with pytest.raises(NotMeasuredError, match=missing):
        measured(content)
