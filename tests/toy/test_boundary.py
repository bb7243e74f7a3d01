"""The toy problem of figure 1, and its two runs."""

import numpy as np
import pytest
import torch

from advprune.plan.config import load_config
from advprune.spec.specification import DeepFoolSettings
from advprune.toy.boundary import (
    GRID,
    POINTS,
    PROPORTION,
    ToyPoints,
    ToyRun,
    boundary_lines,
    build_network,
    count_misclassified,
    draw_points,
    margins,
    train_toy,
)
from advprune.training.pruning import count_to_keep

SETTINGS = DeepFoolSettings(**load_config()["deepfool"])
SEED = 0


class Diagonal(torch.nn.Module):
    """Class 1 where x2 is above x1: the boundary is the diagonal."""

    def forward(self, images):
        x1, x2 = images.flatten(1).T
        return torch.stack([x1, x2], dim=1)


def points_at(coordinates, labels):
    images = torch.tensor(coordinates, dtype=torch.float32).view(-1, 1, 1, 2)
    return ToyPoints(images, torch.tensor(labels))


@pytest.fixture(scope="module")
def points():
    return draw_points(SEED)


@pytest.fixture(scope="module")
def runs(points):
    return {
        panel: train_toy(points, method=method, settings=SETTINGS, seed=SEED)
        for panel, method in (("a", "full"), ("b", "low-deepfool"))
    }


def test_points_lie_in_the_unit_square_that_the_attack_clips_to(points):
    assert points.images.min() >= 0 and points.images.max() <= 1


def test_there_are_as_many_points_of_each_class(points):
    assert torch.bincount(points.labels).tolist() == [POINTS // 2, POINTS // 2]


def test_other_seeds_give_other_points(points):
    assert not torch.equal(draw_points(SEED + 1).images, points.images)


def test_building_a_network_leaves_the_global_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build_network(SEED)
    assert torch.equal(torch.rand(3), expected)


def test_both_runs_are_the_same_until_pruning(runs):
    assert np.array_equal(runs["a"].scored_margins, runs["b"].scored_margins)


def test_pruning_changes_the_training_that_follows(runs):
    assert not np.allclose(margins(runs["a"].network), margins(runs["b"].network))


def test_training_again_gives_the_same_network(points, runs):
    again = train_toy(points, method="low-deepfool", settings=SETTINGS, seed=SEED)
    assert np.array_equal(margins(again.network), margins(runs["b"].network))


def test_one_run_keeps_every_point_and_the_other_the_share_p(runs):
    kept = [len(run.kept) for run in runs.values()]
    assert kept == [POINTS, count_to_keep(POINTS, PROPORTION)]


def test_dropped_points_are_nearer_to_the_boundary_drawn_than_any_kept_one(runs, points):
    # By plane geometry from the contour, not by the distances that pruning went by.
    line = np.concatenate(list(boundary_lines(runs["b"].scored_margins)))
    distance = np.linalg.norm(points.coordinates[:, np.newaxis] - line, axis=2).min(axis=1)
    dropped = np.setdiff1d(np.arange(POINTS), runs["b"].kept)
    slack = 2 * GRID[1]  # the contour is drawn on a grid, DeepFool stops a little past it
    assert distance[dropped].max() < distance[runs["b"].kept].min() + slack


def test_pruning_leaves_fewer_points_on_the_wrong_side(runs, points):
    assert count_misclassified(runs["b"], points) < count_misclassified(runs["a"], points)


def test_the_network_learns_the_problem(runs, points):
    assert count_misclassified(runs["a"], points) < 0.1 * POINTS


def test_the_boundary_of_a_diagonal_rule_is_the_diagonal():
    (line,) = boundary_lines(margins(Diagonal()))
    assert np.allclose(line[:, 0], line[:, 1], atol=1e-6)


def test_margins_have_a_row_for_each_height_and_are_positive_for_class_one():
    values = margins(Diagonal())
    assert values[-1, 0] == pytest.approx(1)  # x1 = 0, x2 = 1


def test_only_points_in_the_training_set_are_counted_as_misclassified():
    points = points_at([[0.1, 0.9], [0.9, 0.1], [0.2, 0.8]], [1, 1, 0])  # the last two are wrong
    run = ToyRun(Diagonal(), np.zeros(3), margins(Diagonal()), kept=np.array([0, 1]))
    assert count_misclassified(run, points) == 1
