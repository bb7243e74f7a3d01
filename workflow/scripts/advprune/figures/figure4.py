"""Figure 4: accuracy on CIFAR10 against the share of data kept."""

import pandas as pd

from advprune.figures.accuracy import accuracy_points, draw_accuracy
from advprune.figures.style import Drawing
from advprune.plan.config import Config


def figure4(runs: pd.DataFrame, config: Config) -> Drawing:
    """The figure, from the runs of the study's experiment ``accuracy``."""
    return Drawing(draw_accuracy(runs, config, "cifar10"), accuracy_points(runs))
