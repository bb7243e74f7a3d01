"""What quantities measure, on tables made by hand."""

import numpy as np
import pandas as pd
import pytest
from claim_tools import evidence, pair
from run_tables import runs_of_cell

from advprune.claims.evidence import accuracies_after_as_many_updates
from advprune.claims.measured import NotMeasuredError
from advprune.claims.quantities import parse_quantity


def measure(quantity, *cells, study="mnist", **parts):
    return parse_quantity(quantity).measure(evidence(*cells, **parts), study)


def value_of(*args, **parts):
    (found,) = measure(*args, **parts).cells
    return found.estimate.value


def test_a_mean_is_of_the_runs_of_the_cell():
    quantity = {
        "kind": "mean",
        "metric": "natural_accuracy",
        "first": {"method": "random", "p": 0.5},
    }
    cells = [
        runs_of_cell("random", "0.5", natural_accuracy=[97.0, 99.0]),
        runs_of_cell("random", "0.6", natural_accuracy=[10.0]),
        runs_of_cell("random", "0.5", e=2, natural_accuracy=[20.0]),
        runs_of_cell("random", "0.5", dataset="cifar10", natural_accuracy=[30.0]),
    ]
    measured = measure(quantity, *cells)
    assert (measured.cells[0].estimate.value, measured.n) == (98, (2,))


def test_paired_seeds_are_compared_by_the_seeds_that_both_have():
    first = runs_of_cell("random", "0.5", autoattack_accuracy=[10.0, 20.0, 30.0])
    second = runs_of_cell("full", "1.0", first_seed=1, autoattack_accuracy=[5.0, 5.0, 90.0])
    measured = measure(pair("difference"), first, second)
    assert measured.cells[0].estimate.value == (15 + 25) / 2
    assert measured.n == (2, 2)


def test_unpaired_seeds_are_compared_by_all_runs():
    config = evidence().config | {"paired_seeds": False}
    first = runs_of_cell("random", "0.5", autoattack_accuracy=[10.0, 20.0, 30.0])
    second = runs_of_cell("full", "1.0", first_seed=1, autoattack_accuracy=[5.0, 5.0])
    measured = measure(pair("difference"), first, second, config=config)
    assert (measured.cells[0].estimate.value, measured.n) == (15, (3, 2))


def test_a_percentage_is_the_mean_of_each_seeds_own():
    first = runs_of_cell("random", "0.5", training_seconds=[10.0, 30.0])
    second = runs_of_cell("full", "1.0", training_seconds=[20.0, 40.0])
    quantity = pair("percent_of", metric="training_seconds")
    assert value_of(quantity, first, second) == (50 + 75) / 2


def test_collapsed_is_the_percentage_of_runs_below_1_percent():
    runs = runs_of_cell("random", "0.5", autoattack_accuracy=[0.0, 0.99, 1.0, 50.0])
    full = runs_of_cell("full", "1.0", autoattack_accuracy=[50.0] * 4)
    assert value_of(pair("difference", metric="collapsed"), runs, full) == 50


def test_the_ratio_of_spreads_is_of_standard_deviations():
    first = runs_of_cell("random", "0.5", autoattack_accuracy=[40.0, 60.0] * 10)
    second = runs_of_cell("full", "1.0", autoattack_accuracy=[30.0, 70.0] * 10)
    assert value_of(pair("spread_percent_of"), first, second) == pytest.approx(50)


def test_below_1_is_averaged_by_seed_over_the_p_that_both_have():
    cells = [
        runs_of_cell("random", "0.5", autoattack_accuracy=[10.0, 20.0]),
        runs_of_cell("random", "0.6", autoattack_accuracy=[30.0, 40.0]),
        runs_of_cell("random", "0.7", autoattack_accuracy=[99.0, 99.0]),
        runs_of_cell("low-loss", "0.5", autoattack_accuracy=[0.0, 5.0]),
        runs_of_cell("low-loss", "0.6", autoattack_accuracy=[0.0, 5.0]),
    ]
    quantity = pair("difference", ("random", "below 1"), ("low-loss", "below 1"))
    assert value_of(quantity, *cells) == (20 + 25) / 2


def test_each_below_1_is_a_cell_each_and_one_without_runs_is_not_measured():
    shares = [f"0.{tenth}" for tenth in range(1, 10)]
    cells = [runs_of_cell("random", p, autoattack_accuracy=[float(p)] * 2) for p in shares]
    full = runs_of_cell("full", "1.0", autoattack_accuracy=[0.0] * 2)
    quantity = pair("difference", ("random", "each below 1"))
    values = [found.estimate.value for found in measure(quantity, *cells, full).cells]
    assert values == pytest.approx([float(p) for p in shares])
    with pytest.raises(NotMeasuredError, match=r"no run of random at p = 0\.9"):
        measure(quantity, *cells[:-1], full)


def test_lists_of_one_length_go_together_and_what_is_single_goes_with_each():
    cells = [
        runs_of_cell(method, "0.5", autoattack_accuracy=[value, value + 1])
        for method, value in (("low-loss", 10.0), ("high-loss", 20.0), ("random", 4.0))
    ]
    quantity = pair("difference", ("random", 0.5), ("random", 0.5))
    quantity["first"]["method"] = ["low-loss", "high-loss"]
    assert [found.estimate.value for found in measure(quantity, *cells).cells] == [6, 16]
    quantity["second"]["method"] = ["high-loss", "low-loss"]
    assert [found.estimate.value for found in measure(quantity, *cells).cells] == [-10, 10]


def line(*values):
    cells = [
        runs_of_cell("low-loss", p, training_seconds=[value] * 2)
        for p, value in zip(("0.2", "0.6"), values, strict=False)
    ]
    return [*cells, runs_of_cell("full", "1.0", training_seconds=[values[-1]] * 2)]


def test_a_slope_is_of_each_seeds_own_line():
    quantity = {"kind": "slope", "metric": "training_seconds", "method": "low-loss"}
    assert value_of(quantity, *line(20.0, 60.0, 100.0)) == pytest.approx(100)


def test_nonlinearity_is_the_distance_from_the_line_at_each_p_in_percent_of_all_data():
    # The line through 20, 66 and 100 is 62 + 100 (p - 0.6): off by -2, 4 and -2.
    quantity = {"kind": "nonlinearity", "metric": "training_seconds", "method": "low-loss"}
    found = measure(quantity, *line(20.0, 66.0, 100.0)).cells
    assert [each.estimate.value for each in found] == pytest.approx([-2, 4, -2])


def test_correlations_are_a_number_a_network_and_not_an_example():
    table = pd.DataFrame(
        {
            "study": ["mnist"] * 3 + ["cifar10"] * 2,
            "r_within": [0.6, 0.7, 0.8, 0.1, 0.3],
            "counted": 60000,
        }
    )
    measured = measure({"kind": "correlation"}, correlations=table)
    assert (measured.cells[0].estimate.value, measured.n) == (pytest.approx(0.7), (3,))
    apart = measure({"kind": "correlation_difference"}, correlations=table)
    assert (apart.cells[0].estimate.value, apart.n) == (pytest.approx(0.5), (3, 2))


def test_the_overlap_of_both_proxies_is_a_number_a_network():
    table = pd.DataFrame(
        {
            "study": ["mnist", "mnist", "cifar10", "cifar10"],
            "dropped_in_common_percent": [70.0, 80.0, 40.0, 50.0],
        }
    )
    measured = measure({"kind": "dropped_overlap"}, correlations=table)
    assert (measured.cells[0].estimate.value, measured.n) == (75, (2,))
    apart = measure({"kind": "dropped_overlap_difference"}, correlations=table)
    assert (apart.cells[0].estimate.value, apart.n) == (30, (2, 2))


def test_the_gain_in_silhouette_is_a_number_a_seed_of_the_scores():
    places = [0.0, 1.0, 5.0, 10.0, 11.0, 6.0]
    table = pd.DataFrame({"x": places, "y": 0.0, "label": [0, 0, 0, 1, 1, 1], "kept": True})
    table["kept_seed_0"] = [True, True, False] * 2
    table["kept_seed_1"] = True
    measured = measure({"kind": "silhouette_gain"}, embedding=table)
    values = measured.cells[0].scatter[0]
    assert measured.n == (2,)
    assert values[0] > 0
    assert values[1] == 0


def test_convergence_is_read_off_the_other_curve_after_as_many_updates():
    # 100 images in batches of 10, and 40 from the second epoch on. The pruned run's third epoch is
    # half over after 10 + 4 + 2 = 16 updates; the other's epochs after 5, 15 and 25.
    pruned = pd.DataFrame({"examples": [100, 40, 40], "accuracy": [0.5, 0.6, 0.8]})
    other = pd.DataFrame({"examples": [100, 100, 100], "accuracy": [0.5, 0.7, 0.9]})
    found = accuracies_after_as_many_updates(pruned, other, 10)
    assert found == pytest.approx((0.8, 0.72))


def test_what_the_toy_models_formula_says_has_no_error():
    table = pd.DataFrame(
        {
            "quantity": ["robust_standard"],
            "simulated_mean": [90.0],
            "simulated_half_width": [0.2],
            "seeds": [20],
            "paper_value": [75.0],
        }
    )
    quantity = parse_quantity({"kind": "toy", "of": "robust_standard", "less": "paper_value"})
    (found,) = quantity.measure(evidence(toy=table), "").cells
    assert found.estimate.value == 15
    assert found.estimate.low(0.025) == pytest.approx(14.8)


def test_a_check_reads_the_config():
    found = measure({"kind": "config", "of": "training.batch_size"})
    assert (found.found, found.n) == (128, 0)
    with pytest.raises(NotMeasuredError, match=r"experiments\.no\.seeds"):
        measure({"kind": "config", "of": "experiments.no.seeds"})


def test_of_an_experiments_seeds_those_count_that_have_all_their_runs():
    seeds = {"kind": "config", "of": "experiments.table1.seeds"}
    cells = {"full": 120, "low-loss": 120, "low-deepfool": 120, "random": 120}
    for fewer, complete in ((120, 120), (7, 7), (0, 0)):
        runs = [
            runs_of_cell(method, natural_accuracy=[98.0] * count)
            for method, count in (cells | {"random": fewer}).items()
            if count
        ]
        assert measure(seeds, *runs).found == complete


def test_the_largest_excess_is_over_all_runs_and_on_the_same_images():
    runs = runs_of_cell(
        "random", "0.5", autoattack_accuracy=[50.0, 40.0], apgd_ce_40x5_accuracy=[49.5, 60.0]
    )
    quantity = {
        "kind": "largest_excess",
        "metric": "autoattack_accuracy",
        "less": "apgd_ce_40x5_accuracy",
    }
    alike = runs.assign(single_attack_examples=4)
    assert measure(quantity, alike).found == 0.5
    with pytest.raises(NotMeasuredError, match="different numbers of images"):
        measure(quantity, runs)
    # Of which a verdict would be about nothing.
    with pytest.raises(NotMeasuredError, match="no run has both accuracies"):
        measure(quantity, alike.assign(autoattack_accuracy=np.nan))


@pytest.mark.parametrize(
    ("quantity", "words"),
    [
        ({"kind": "correlation"}, "Figure 6 were not made"),
        ({"kind": "dropped_overlap"}, "Figure 6 were not made"),
        ({"kind": "silhouette_gain"}, "Figure 2 was not made"),
        (pair("difference"), "no run of random at p = 0.5"),
    ],
)
def test_what_is_not_there_is_said(quantity, words):
    with pytest.raises(NotMeasuredError, match=words):
        measure(quantity)


def test_a_run_without_a_number_is_left_out():
    cells = [
        runs_of_cell("random", "0.5", autoattack_accuracy=[10.0, 20.0]),
        runs_of_cell("full", "1.0", autoattack_accuracy=[0.0, np.nan]),
    ]
    measured = measure(pair("difference"), *cells)
    assert (measured.cells[0].estimate.value, measured.n) == (10, (1, 1))
