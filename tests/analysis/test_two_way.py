"""Intervals of robust accuracy over seeds and over the attacked images."""

import numpy as np
import pandas as pd
import pytest
from numpy.random import default_rng

from advprune.analysis.statistics import CONFIDENCE, mean_interval, summarise
from advprune.analysis.two_way import (
    Estimate,
    accuracy_estimate,
    accuracy_gap,
    two_way_mean,
)
from advprune.analysis.verdict_table import Verdicts, VerdictTable
from advprune.spec.runs import Run

# Two seeds, three images. Row means 2/3 and 1/3, so S2_seed / 2 = 1/36; column means 1, 1/2 and 0,
# so S2_image / 3 = 1/12; residuals ∓1/6, ±1/3, ∓1/6, so S2_residual / 6 = (1/3) / 2 / 6 = 1/36.
BY_HAND = np.array([[1, 1, 0], [1, 0, 0]])


def drawn(random, seeds, images, *, spread=2.0, collapsed=0.0):
    """Verdicts of networks with about 85% on images of varying difficulty; some withstand none."""
    skill = np.where(random.random(seeds) < collapsed, -20, random.normal(2.5, 0.3, seeds))
    chance = 1 / (1 + np.exp(random.normal(0, spread, images) - skill[:, None]))
    return random.random((seeds, images)) < chance


def test_the_error_of_a_mean_is_the_one_worked_out_by_hand():
    found = two_way_mean(BY_HAND)
    assert found.value == pytest.approx(1 / 2)
    assert found.standard_error == pytest.approx(np.sqrt(1 / 36 + 1 / 12 - 1 / 36))
    assert found.degrees_of_freedom == 1


def test_an_interval_reaches_to_the_t_quantile():
    assert Estimate(5.0, 2.0, 1.0).half_width(0.95) == pytest.approx(2 * 12.7062, rel=1e-4)


@pytest.mark.parametrize("seeds", [2, 5, 50])
def test_networks_that_agree_on_every_image_are_as_uncertain_as_one_sample_of_images(seeds):
    image = default_rng(0).random(40) < 0.7
    found = two_way_mean(np.tile(image, (seeds, 1)))
    assert found.standard_error == pytest.approx(np.sqrt(image.var(ddof=1) / 40))


def test_where_all_images_of_a_run_share_one_fate_the_interval_is_that_over_seeds():
    accuracies = np.array([0.0, 0.0, 100.0, 100.0, 100.0])
    found = two_way_mean(np.tile(accuracies[:, None], 30))
    assert found.half_width(CONFIDENCE) == pytest.approx(mean_interval(accuracies).half_width)


def test_neither_the_order_of_seeds_nor_that_of_images_matters():
    random = default_rng(1)
    values = drawn(random, 6, 20)
    mixed = values[random.permutation(6)][:, random.permutation(20)]
    assert vars(two_way_mean(mixed)) == pytest.approx(vars(two_way_mean(values)))


def test_a_mean_in_percent_has_an_error_in_percent():
    found = two_way_mean(100.0 * BY_HAND)
    assert found.value == pytest.approx(50)
    assert found.standard_error == pytest.approx(100 * two_way_mean(BY_HAND).standard_error)


def test_a_component_that_comes_out_negative_counts_as_none():
    # Each seed and each image has one half: all there is, is residual, S2 = 1, over n m = 4.
    assert two_way_mean(np.array([[1, 0], [0, 1]])).standard_error == pytest.approx(np.sqrt(1 / 4))


def test_what_never_varies_has_an_interval_without_width():
    assert two_way_mean(np.ones((3, 4))).half_width(CONFIDENCE) == 0


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (0, 5)])
def test_fewer_than_two_seeds_or_images_give_no_error(shape):
    found = two_way_mean(np.ones(shape))
    assert np.isnan([found.standard_error, found.half_width(CONFIDENCE)]).all()


def test_the_variance_is_right_on_average():
    random = default_rng(2)
    found = [two_way_mean(drawn(random, 5, 20)) for _ in range(3000)]
    really = np.var([each.value for each in found])
    assert np.mean([each.standard_error**2 for each in found]) == pytest.approx(really, rel=0.1)


def covered(interval, *, seeds=30, images=100, repeats=400):
    """How often an interval holds the mean of all networks on all images."""
    random = default_rng(3)
    truth = np.mean([drawn(random, 500, 500).mean() for _ in range(30)])
    hits = 0
    for _ in range(repeats):
        value, half_width = interval(drawn(random, seeds, images))
        hits += abs(value - truth) <= half_width
    return hits / repeats


def over_both(values):
    found = two_way_mean(values)
    return found.value, found.half_width(CONFIDENCE)


def over_seeds(values):
    found = mean_interval(values.mean(axis=1))
    return found.mean, found.half_width


def test_the_interval_holds_the_truth_as_often_as_it_promises():
    assert 0.92 < covered(over_both) < 0.99


def test_an_interval_over_seeds_alone_would_not():
    assert covered(over_seeds) < 0.75


# Of runs in a table.

AUTOATTACK, APGD = "autoattack_accuracy", "apgd_ce_40x5_accuracy"


def cell(method, seeds, withstood, apgd):
    """Runs of one method, with the accuracies that their verdicts have."""
    return pd.DataFrame(
        {
            **{"dataset": "mnist5k", "method": method, "p": "0.6", "e": 1, "seed": seeds},
            "natural_accuracy": np.linspace(97, 99, len(seeds)),
            AUTOATTACK: 100 * withstood.mean(axis=1),
            APGD: 100 * apgd.mean(axis=1),
            "diverged_epoch": np.nan,
        }
    )


@pytest.fixture(scope="module")
def runs_and_verdicts():
    """Three runs of one method and four of another; AutoAttack on images 1, 4 and 7 alone."""
    random = default_rng(7)
    autoattack, apgd = random.random((7, 3)) < 0.5, random.random((7, 8)) < 0.6
    low = cell("low-loss", [2, 0, 1], autoattack[:3], apgd[:3])
    lots = cell("random", [0, 1, 2, 3], autoattack[3:], apgd[3:])
    runs = pd.concat([low, lots], ignore_index=True)
    named = [Run("mnist5k", row.method, "0.6", 1, row.seed) for row in runs.itertuples()]
    found = {
        ("mnist5k", AUTOATTACK): Verdicts(np.array([1, 4, 7]), autoattack),
        ("mnist5k", APGD): Verdicts(np.arange(8), apgd),
    }
    return runs, VerdictTable({run: row for row, run in enumerate(named)}, found)


def test_the_estimate_of_some_runs_is_that_of_their_verdicts_in_percent(runs_and_verdicts):
    runs, verdicts = runs_and_verdicts
    chosen = runs[runs["method"] == "random"]
    found = accuracy_estimate(chosen, AUTOATTACK, verdicts)
    assert found.value == pytest.approx(chosen[AUTOATTACK].mean())
    assert found == two_way_mean(100.0 * verdicts.found["mnist5k", AUTOATTACK].withstood[3:])


def test_two_attacks_are_compared_on_the_images_of_both(runs_and_verdicts):
    runs, verdicts = runs_and_verdicts
    low = runs[runs["method"] == "low-loss"]
    found = accuracy_gap(low, APGD, AUTOATTACK, verdicts)
    apgd = verdicts.found["mnist5k", APGD].withstood[:3][:, [1, 4, 7]]
    assert found.value == pytest.approx(100 * apgd.mean() - low[AUTOATTACK].mean())


def test_what_a_seed_or_an_image_adds_under_both_attacks_cancels(runs_and_verdicts):
    runs, verdicts = runs_and_verdicts
    low = runs[runs["method"] == "low-loss"]
    assert accuracy_gap(low, APGD, APGD, verdicts) == Estimate(0.0, 0.0, 2)


def test_runs_that_nothing_attacked_have_no_gap(runs_and_verdicts):
    runs, verdicts = runs_and_verdicts
    found = accuracy_gap(runs.iloc[:0], APGD, AUTOATTACK, verdicts)
    assert np.isnan([found.value, found.standard_error]).all()


def test_a_summary_has_both_in_the_intervals_of_robust_accuracies_alone(runs_and_verdicts):
    runs, verdicts = runs_and_verdicts
    metrics = ["natural_accuracy", AUTOATTACK]
    alone, both = (summarise(runs, metrics, each).iloc[1] for each in (None, verdicts))
    wanted = accuracy_estimate(runs[runs["method"] == "random"], AUTOATTACK, verdicts)
    assert both[f"{AUTOATTACK}_half_width"] == wanted.half_width(CONFIDENCE)
    assert both[f"{AUTOATTACK}_half_width"] != alone[f"{AUTOATTACK}_half_width"]
    differing = [name for name in alone.index if alone[name] != both[name]]
    assert differing == [f"{AUTOATTACK}_half_width"]
