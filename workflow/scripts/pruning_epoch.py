#!/usr/bin/env python3
"""Supplement: accuracy against the pruning epoch e."""

import argparse

from advprune.config import read_config
from advprune.drawing import save_figure
from advprune.figures.pruning_epoch import draw_pruning_epoch, pruning_epoch_points
from advprune.labels import mixture_notes
from advprune.program import add_options, run_program
from advprune.results import read_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "runs", "config", "figure")
    options = parser.parse_args()
    runs = read_runs(options.runs)
    points = pruning_epoch_points(runs)
    figure = draw_pruning_epoch(points, read_config(options.config), mixture_notes(runs))
    save_figure(figure, points, options.output)


if __name__ == "__main__":
    run_program(main)
