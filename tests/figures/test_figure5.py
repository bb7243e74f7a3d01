"""Figure 5 where a config leaves a study nothing to show in it."""

import numpy as np
import pandas as pd
from builders import MADE_WITH
from workflow_tools import PROJECT

from advprune.figures.figure5 import draw_training_time, time_points
from advprune.figures.style import save_figure
from advprune.plan.config import load_config
from advprune.storage.records import check_hash


def test_a_study_without_low_distance_pruning_by_loss_has_an_empty_panel(tmp_path):
    runs = pd.DataFrame(
        {
            **{"dataset": "mnist5k", "method": "low-loss", "p": ["0.3", "0.6"], "e": 1, "seed": 0},
            **{
                "natural_accuracy": 98.0,
                "autoattack_accuracy": 80.0,
                "apgd_ce_40x5_accuracy": 85.0,
            },
            **{"training_seconds": [10.0, 12.0], "diverged_epoch": np.nan},
            **MADE_WITH,
        }
    )
    points = time_points(runs)
    figure = draw_training_time(points, load_config(PROJECT / "config/quick.yaml"))
    save_figure(figure, points, tmp_path / "figure5.csv")
    for suffix in (".csv", ".pdf", ".png"):
        check_hash(tmp_path / f"figure5{suffix}", made_with=tmp_path / "figure5.csv")
    mnist, cifar10 = figure.axes
    assert [len(axis.containers[0][0].get_ydata()) for axis in (mnist, cifar10)] == [2, 0]
