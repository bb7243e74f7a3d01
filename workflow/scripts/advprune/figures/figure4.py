"""Figure 4: accuracy on CIFAR10 against the share of data kept."""

import pandas as pd

from advprune.analysis.verdict_table import VerdictTable
from advprune.figures.accuracy import accuracy_points, draw_accuracy
from advprune.figures.style import Drawing
from advprune.plan.config import Config


def figure4(runs: pd.DataFrame, config: Config, verdicts: VerdictTable | None = None) -> Drawing:
    """The figure, from the runs of the study's experiment ``accuracy``, and their verdicts."""
    figure = draw_accuracy(runs, config, "cifar10", verdicts)
    return Drawing(figure, accuracy_points(runs, verdicts))
