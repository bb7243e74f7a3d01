#!/usr/bin/env python3
"""Figures 3 and 4: accuracy against the share of data kept."""

import argparse

from advprune.config import read_config
from advprune.drawing import save_figure
from advprune.figures.accuracy import accuracy_points, draw_accuracy
from advprune.program import add_options, run_program
from advprune.results import read_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "runs", "config", "figure")
    parser.add_argument("study", choices=("mnist", "cifar10"))
    options = parser.parse_args()
    runs = read_runs(options.runs)
    figure = draw_accuracy(runs, read_config(options.config), options.study)
    save_figure(figure, accuracy_points(runs), options.output)


if __name__ == "__main__":
    run_program(main)
