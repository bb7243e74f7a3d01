#!/usr/bin/env python3
"""Figure 5: training time against the share of data kept, with the linear fit."""

import argparse

from advprune.config import read_config
from advprune.drawing import save_figure
from advprune.figures.training_time import draw_training_time, time_points
from advprune.labels import mixture_notes
from advprune.program import add_options, run_program
from advprune.results import read_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "runs", "config", "figure")
    options = parser.parse_args()
    runs = read_runs(options.runs)
    points = time_points(runs)
    figure = draw_training_time(points, read_config(options.config), mixture_notes(runs))
    save_figure(figure, points, options.output)


if __name__ == "__main__":
    run_program(main)
