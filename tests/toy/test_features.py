"""Appendix C's simulation against its formulas and against cases worked by hand."""

import itertools

import numpy as np
import pytest

from advprune.toy.features import (
    QUANTITIES,
    Sample,
    ToyModel,
    draw_sample,
    is_correct,
    robust_accuracy,
    robust_share_among,
    simulate,
    simulation_frame,
    squared_loss,
    swapped_accuracy,
)

MODELS = {
    "the default": ToyModel(100, 0.5, 0.95, 0.7),
    "mostly robust": ToyModel(64, 0.8, 0.9, 0.55),
    "mostly fragile": ToyModel(50, 0.1, 0.99, 0.6),
    "an adversary who reaches the robust feature": ToyModel(25, 0.6, 0.9, 0.7),
    "one who just reaches it": ToyModel(36, 0.6, 0.9, 0.7),
    "no fragile points": ToyModel(40, 1.0, 0.9, 0.7),
}
COUNT = 40_000


def sample_of(features, labels):
    features, labels = np.array(features, dtype=float), np.array(labels, dtype=float)
    return Sample(features, labels, np.ones(len(labels), dtype=bool))


@pytest.fixture(scope="module")
def measured():
    return {
        case: simulate(model, COUNT, np.random.default_rng(1)) for case, model in MODELS.items()
    }


@pytest.mark.parametrize("name", QUANTITIES)
@pytest.mark.parametrize("case", MODELS)
def test_the_simulation_agrees_with_the_corrected_formula(case, name, measured):
    model = MODELS[case]
    expected = QUANTITIES[name].corrected(model)
    if case == "no fragile points" and name == "high_loss_of_fragile":
        assert np.isnan(measured[case][name])
        return
    # Of how many points the share is taken, at the least.
    share = {
        "high_loss_of_robust": model.robust_share,
        "high_loss_of_fragile": 1 - model.robust_share,
        "robust_share_without_high_loss": robust_accuracy(model),
        "robust_share_without_low_loss": 1 - robust_accuracy(model),
    }.get(name, 1)
    standard_error = np.sqrt(expected * (1 - expected) / (share * COUNT))
    assert abs(measured[case][name] / 100 - expected) <= 4 * standard_error + 1e-12


@pytest.mark.parametrize("case", ["mostly robust", "mostly fragile"])
def test_the_accuracy_that_the_paper_prints_is_not_the_simulated_one(case, measured):
    model = MODELS[case]
    standard_error = np.sqrt(0.25 / COUNT)
    difference = abs(measured[case]["robust_standard"] / 100 - swapped_accuracy(model))
    assert difference > 20 * standard_error


def test_the_formulas_give_what_is_worked_by_hand():
    model = ToyModel(100, 0.8, 0.95, 0.7)
    assert robust_accuracy(model) == pytest.approx(0.8 * 0.95 + 0.2 * 0.7)  # 0.90
    assert swapped_accuracy(model) == pytest.approx(0.75)
    assert robust_share_among(model, 0.95, 0.7) == pytest.approx(0.76 / 0.90)


def test_no_corner_of_the_epsilon_ball_is_worse_than_the_closed_form():
    random = np.random.default_rng(3)
    weights = np.array([0.5, -1.0, 0.0, 0.25])
    sample = sample_of(random.normal(size=(200, 4)), random.choice([-1, 1], 200))
    corners = np.array(list(itertools.product([-0.3, 0.3], repeat=4)))
    attacked = (sample.features[:, np.newaxis] + corners) @ weights
    by_search = (sample.labels[:, np.newaxis] * attacked > 0).all(axis=1)
    assert np.array_equal(is_correct(weights, sample, 0.3), by_search)


def test_a_point_on_the_boundary_counts_as_wrong():
    assert not is_correct(np.array([1.0, 0.0]), sample_of([[0.0, 5.0]], [1]))[0]


def test_the_robust_classifiers_loss_is_four_where_its_feature_is_not_the_label():
    sample = sample_of([[1, 9], [-1, 9], [1, 9], [-1, 9]], [1, 1, -1, -1])
    assert squared_loss(np.array([1.0, 0.0]), sample).tolist() == [0, 4, 4, 0]


def test_fragile_features_have_mean_eta_times_the_label_and_deviation_one():
    model = ToyModel(9, 0.5, 0.9, 0.7)  # eta = 1
    sample = draw_sample(model, 20_000, np.random.default_rng(0))
    centred = sample.features[:, 1:] - sample.labels[:, np.newaxis]
    assert np.abs(centred.mean(axis=0)).max() < 4 / np.sqrt(20_000)
    assert centred.std() == pytest.approx(1, abs=0.01)


def test_points_beyond_one_chunk_are_all_counted(monkeypatch):
    monkeypatch.setattr("advprune.toy.features.VALUES_AT_ONCE", 70)  # 10 points at once
    sizes = []

    def counting(model, count, random):
        sizes.append(count)
        return draw_sample(model, count, random)

    monkeypatch.setattr("advprune.toy.features.draw_sample", counting)
    simulate(ToyModel(6, 0.5, 0.9, 0.7), 25, np.random.default_rng(0))
    assert sizes == [10, 10, 5]


def test_a_share_of_no_points_is_missing_and_not_an_error():
    model = ToyModel(10, 1.0, 1.0, 0.7)  # no point has a high loss
    found = simulate(model, 50, np.random.default_rng(0))
    assert np.isnan(found["robust_share_without_low_loss"])


def test_seeds_draw_different_points():
    frame = simulation_frame(ToyModel(10, 0.5, 0.9, 0.7), count=500, seeds=3)
    assert (frame.set_index("quantity").loc["robust_standard", "simulated_half_width"]) > 0
