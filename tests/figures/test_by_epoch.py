"""Accuracy by epoch: what counts as a collapse, and as recovering from one."""

import copy

import pandas as pd
import pytest
from run_tables import table_of_runs, write_by_epoch
from workflow_tools import PROJECT

from advprune.errors import UserError
from advprune.figures.by_epoch import MEASURES, by_epoch, collapses, draw_by_epoch
from advprune.figures.curves import COLLAPSED
from advprune.figures.style import look_of
from advprune.plan.config import load_config
from advprune.plan.specify import by_epoch_spec
from advprune.spec.runs import Run

CONFIG = load_config(PROJECT / "config/quick.yaml")
METRIC = "apgd_ce_40x5_accuracy"
# Accuracies after three epochs, by seed.
STANDS, FALLS, RECOVERS, NEVER_STOOD, LATE = (
    *((60, 70, 80), (60, 0.5, 0)),
    *((60, 0, 55), (0.2, 0, 0.9), (0, 1, 60)),
)
RUNS = dict(enumerate([STANDS, FALLS, RECOVERS, NEVER_STOOD, LATE]))


def run_of(seed):
    return Run("mnist5k", "low-loss", "0.6", 1, seed)


def points_of(seeds=RUNS, **columns):
    rows = [
        {**vars(run_of(seed)), "epoch": epoch, "as_trained": True, "collapsed": False}
        | dict.fromkeys(MEASURES, accuracy)
        for seed in seeds
        for epoch, accuracy in enumerate(RUNS[seed], 1)
    ]
    return pd.DataFrame(rows).assign(**columns)


@pytest.mark.parametrize(
    ("seed", "counted"),
    [
        pytest.param(0, (0, 0, 0), id="one that stands"),
        pytest.param(1, (1, 0, 1), id="one that falls"),
        pytest.param(2, (1, 1, 0), id="one that recovers"),
        pytest.param(3, (0, 0, 1), id="one that never stood did not fall"),
        pytest.param(4, (0, 0, 0), id="one that learns late did not fall"),
    ],
)
def test_a_run_falls_below_1_percent_from_above_it_and_recovers_if_it_ends_above(seed, counted):
    assert collapses(points_of([seed]), METRIC) == counted


def test_runs_are_counted_whatever_the_order_of_rows():
    shuffled = points_of().sample(frac=1, random_state=0)
    assert collapses(shuffled, METRIC) == (2, 1, 2)


def write(folder, seed, *, spec=None, **record):
    rows = [
        {"epoch": epoch, "loss": 0.1, **dict.fromkeys(MEASURES, accuracy)}
        for epoch, accuracy in enumerate(RUNS[seed], 1)
    ]
    spec = spec or by_epoch_spec(run_of(seed), CONFIG)
    write_by_epoch(folder, run_of(seed), spec, rows, **record)


def table(*seeds):
    return table_of_runs([run_of(seed) for seed in seeds])


def test_the_figure_is_drawn_from_the_files_of_the_runs(tmp_path):
    for seed in RUNS:
        write(tmp_path, seed)
    data = by_epoch(table(*RUNS), CONFIG, tmp_path).data
    assert len(data) == 15
    assert data.groupby("seed")["collapsed"].first().to_dict() == {
        **{0: False, 1: True, 2: False, 3: True, 4: False}
    }
    of_one = data[data["seed"] == 2].sort_values("epoch")
    assert of_one[METRIC].to_list() == [60, 0, 55]


def test_attacks_other_than_the_configs_are_refused(tmp_path):
    other = copy.deepcopy(dict(CONFIG))
    other["early_stopping"] = {**CONFIG["early_stopping"], "steps": 7}
    write(tmp_path, 0, spec=by_epoch_spec(run_of(0), other))
    with pytest.raises(UserError, match="steps was 7, the config says 40"):
        by_epoch(table(0), CONFIG, tmp_path)


def test_attacks_of_another_training_are_refused(tmp_path):
    write(tmp_path, 0, trained_spec_digest="0" * 64)
    with pytest.raises(UserError, match="about a run that was made anew since"):
        by_epoch(table(0), CONFIG, tmp_path)


def test_runs_that_came_out_otherwise_are_counted_on_its_face(tmp_path):
    write(tmp_path, 0)
    write(tmp_path, 1, as_trained=False)
    figure = by_epoch(table(0, 1), CONFIG, tmp_path).figure
    assert "1 of the runs came out otherwise" in " ".join(figure.get_supxlabel().split())


def test_where_all_came_out_as_they_had_it_does_not_say_so(tmp_path):
    write(tmp_path, 0)
    figure = by_epoch(table(0), CONFIG, tmp_path).figure
    assert "came out otherwise" not in " ".join(figure.get_supxlabel().split())


def test_above_the_panels_of_an_attack_stands_what_became_of_the_runs():
    figure = draw_by_epoch(points_of(), CONFIG)
    titles = [axis.get_title() for axis in figure.axes if axis.get_visible()]
    counts = "2 fell below 1%, 1 recovered; 2 below at the end"
    assert titles == ["Low distance (Loss), p = 0.6", counts, counts]


def test_runs_that_end_collapsed_are_dashed_in_a_colour_of_their_own():
    points = points_of([0, 1])
    points["collapsed"] = points["seed"] == 1
    axis = draw_by_epoch(points, CONFIG).axes[0]
    looks = {(line.get_color(), line.get_linestyle()) for line in axis.lines}
    assert looks == {(look_of("low-loss").colour, "-"), (COLLAPSED, "--")}
