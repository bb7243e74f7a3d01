"""How figures look, and the files that they are written to."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from figure_tools import texts
from imports import SCRIPTS
from run_tables import joined, runs_of_cell
from workflow_tools import PROJECT

from advprune.figures.collapse import collapse
from advprune.figures.distribution import distribution
from advprune.figures.figure3 import figure3
from advprune.figures.pruning_epoch import pruning_epoch
from advprune.figures.style import (
    Drawing,
    inside_percentages,
    look_of,
    new_figure,
    percentage_limits,
)
from advprune.plan.config import load_config
from advprune.spec.methods import METHODS, PruningMethod
from advprune.storage.records import check_hash

CONFIG = load_config(PROJECT / "config/quick.yaml")
DATA = pd.DataFrame({"x": [1 / 3, 2.0]})


def drawing():
    figure, axes = new_figure(height=2)
    axes[0, 0].plot(DATA["x"])
    return Drawing(figure, DATA)


def test_a_figure_is_three_files_and_their_hashes(tmp_path):
    drawing().write(tmp_path / "figure.csv")
    for suffix in (".csv", ".pdf", ".png"):
        check_hash(tmp_path / f"figure{suffix}", made_with=tmp_path / "figure.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "figure.csv"), DATA)


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    for name in ("first", "second"):
        drawing().write(tmp_path / f"{name}.csv")
    for suffix in ("pdf", "png"):
        first, second = (tmp_path / f"{name}.{suffix}" for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


DRAW = """
from advprune.figures.style import Drawing, new_figure
import pandas as pd
figure, axes = new_figure(height=2)
axes[0, 0].plot([1, 2], label="a")
axes[0, 0].set_xlabel("b")
Drawing(figure, pd.DataFrame()).write("figure.csv")
"""
MINE = b"lines.linestyle: --\naxes.xmargin: 0.4\ntext.usetex: True\n"
BROKEN = MINE + b"\xff\xfe"


@pytest.fixture
def drawn_with(tmp_path):
    """The bytes of a picture that a process draws with settings of a user's."""

    def drawn_with(name, variables, settings):
        folder = tmp_path / name
        home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / ".config")}
        (folder / ".config/matplotlib/stylelib").mkdir(parents=True)
        for place, content in settings.items():
            (folder / place).write_bytes(content)
        ended = subprocess.run(
            [sys.executable, "-c", DRAW],
            cwd=folder,
            env=os.environ | home | {"PYTHONPATH": str(SCRIPTS)} | variables,
            capture_output=True,
            text=True,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        return (folder / "figure.png").read_bytes()

    return drawn_with


@pytest.mark.parametrize(
    ("variables", "settings"),
    [
        pytest.param(
            {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}, {}, id="a notebook"
        ),
        pytest.param({"MPLBACKEND": "tkagg"}, {}, id="a screen that is not there"),
        pytest.param({"MATPLOTLIBRC": "mine"}, {"mine": MINE}, id="a file that is named"),
        pytest.param({"MATPLOTLIBRC": "mine"}, {"mine": BROKEN}, id="a broken one"),
        pytest.param({}, {"matplotlibrc": BROKEN}, id="a broken one beside the work"),
        pytest.param({}, {".config/matplotlib/matplotlibrc": MINE}, id="the user's"),
        pytest.param({}, {".config/matplotlib/matplotlibrc": BROKEN}, id="the user's, broken"),
        pytest.param(
            {},
            {".config/matplotlib/stylelib/a.mplstyle": BROKEN},
            id="a broken style",
        ),
    ],
)
def test_a_users_settings_of_matplotlib_change_no_figure(drawn_with, variables, settings):
    plain = {"MPLBACKEND": "agg", "MATPLOTLIBRC": os.devnull}
    assert drawn_with("user", variables, settings) == drawn_with("plain", plain, {})


def test_error_bars_end_where_accuracies_do():
    below, above = inside_percentages(pd.Series([1.0, 50, 98]), pd.Series([3.0, None, 3]))
    assert (below.to_list(), above.to_list()) == ([1, 0, 3], [3, 0, 2])


def test_an_axis_without_any_value_shows_all_percentages():
    assert percentage_limits(pd.Series([np.nan] * 2)) == (-3, 103)
    assert percentage_limits(pd.Series([], dtype=float)) == (-3, 103)


@pytest.mark.parametrize("figure", [figure3, pruning_epoch])
def test_networks_of_which_none_is_under_autoattack_yet_are_drawn_by_the_other_metrics(figure):
    runs = joined(
        runs_of_cell("full", autoattack_accuracy=[np.nan] * 2),
        runs_of_cell("random", autoattack_accuracy=[np.nan] * 2),
    )
    drawn = figure(runs, load_config())
    drawn.figure.canvas.draw()
    assert drawn.data["apgd_ce_40x5_accuracy_mean"].tolist() == [60, 60]


# A pruning method that is new to the registry.


@pytest.fixture
def with_new_method(monkeypatch):
    """Runs of which some are by a method that no figure knows of."""
    monkeypatch.setitem(METHODS, "newest-loss", PruningMethod("Newest", "loss", "anywhere"))
    methods = ("full", "random", "low-loss", "newest-loss")
    return joined(
        *(runs_of_cell(name, dataset="mnist5k", autoattack_accuracy=[10, 20]) for name in methods)
    )


@pytest.mark.parametrize("figure", [figure3, collapse, distribution, pruning_epoch])
def test_a_new_method_is_named_in_every_figure_of_methods(with_new_method, figure):
    assert "Newest" in " ".join(texts(figure(with_new_method, CONFIG).figure))


def test_a_new_method_has_a_colour_of_its_own(with_new_method):
    others = {look_of(name).colour for name in METHODS if name != "newest-loss"}
    assert look_of("newest-loss").colour not in others
