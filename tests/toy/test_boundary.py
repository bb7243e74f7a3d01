"""Figure 1: the toy problem, its two runs, and what is written of them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from builders import write_hashed

from advprune.figures.figure1 import boundary_frame
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

PROGRAM = Path(__file__).parents[1] / "workflow/scripts/figure1.py"
SETTINGS = {
    "points": "clean",
    "max_iterations": 50,
    "overshoot": 0.02,
    "fixed_target": True,
    "unconverged": "length_walked",
}
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
    settings = DeepFoolSettings(**SETTINGS)
    return {
        panel: train_toy(points, method=method, settings=settings, seed=SEED)
        for panel, method in (("a", "full"), ("b", "low-deepfool"))
    }


@pytest.fixture(scope="module")
def frame(points, runs):
    return boundary_frame(points, runs)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figure1")
    write_hashed(folder / "config.json", json.dumps({"deepfool": SETTINGS}))
    command = [sys.executable, PROGRAM, "--config", "config.json", "--output", "figure1.csv"]
    subprocess.run(command, cwd=folder, check=True)
    return folder


def test_points_lie_in_the_unit_square_that_the_attack_clips_to(points):
    assert points.images.min() >= 0 and points.images.max() <= 1


def test_there_are_as_many_points_of_each_class(points):
    assert torch.bincount(points.labels).tolist() == [POINTS // 2, POINTS // 2]


def test_other_seeds_give_other_points(points):
    assert not torch.equal(draw_points(SEED + 1).images, points.images)


def test_both_networks_start_from_the_same_weights():
    first, second = (build_network(SEED).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


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
    again = train_toy(
        points, method="low-deepfool", settings=DeepFoolSettings(**SETTINGS), seed=SEED
    )
    assert np.array_equal(margins(again.network), margins(runs["b"].network))


def test_the_unpruned_run_keeps_every_point(runs):
    assert len(runs["a"].kept) == POINTS


def test_the_pruned_run_keeps_the_share_p(runs):
    assert len(runs["b"].kept) == count_to_keep(POINTS, PROPORTION)


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


def test_the_frame_has_all_points_in_panel_a_and_the_kept_ones_in_panel_b(frame, runs):
    counts = frame[frame["kind"] == "point"].groupby("panel").size().to_dict()
    assert counts == {"a": POINTS, "b": len(runs["b"].kept)}


def test_points_marked_as_dropped_in_panel_a_are_those_missing_from_panel_b(frame):
    drawn = frame[frame["kind"] == "point"]
    marked = drawn[(drawn["panel"] == "a") & ~drawn["dropped"]]
    assert set(zip(marked["x"], marked["y"], strict=True)) == set(
        drawn.loc[drawn["panel"] == "b", ["x", "y"]].itertuples(index=False, name=None)
    )


def test_no_point_of_panel_b_is_marked_as_dropped(frame):
    assert not frame.loc[(frame["panel"] == "b") & (frame["kind"] == "point"), "dropped"].any()


@pytest.mark.parametrize("kind", ["boundary", "scored boundary"])
@pytest.mark.parametrize("panel", ["a", "b"])
def test_each_panel_has_both_boundaries(frame, panel, kind):
    assert ((frame["panel"] == panel) & (frame["kind"] == kind)).any()


def test_boundary_rows_carry_no_label(frame):
    assert frame.loc[frame["kind"] != "point", "label"].isna().all()


@pytest.mark.parametrize("suffix", [".csv", ".pdf", ".png"])
def test_the_program_writes_the_figure_in_every_form(written, suffix):
    assert (written / f"figure1{suffix}").stat().st_size > 1000


def test_the_program_writes_what_the_library_draws(written, frame):
    read = pd.read_csv(written / "figure1.csv", dtype=frame.dtypes.to_dict())
    pd.testing.assert_frame_equal(read, frame, check_exact=False, atol=1e-4)
