#!/usr/bin/env python3
"""Supplement to Table 1: the accuracy of every single run."""

import argparse

from advprune.config import read_config
from advprune.drawing import save_figure
from advprune.figures.distribution import distribution_dots, draw_distribution
from advprune.program import add_options, run_program
from advprune.results import read_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "runs", "config", "figure")
    options = parser.parse_args()
    runs = read_runs(options.runs)
    dots = distribution_dots(runs)
    save_figure(draw_distribution(dots, runs, read_config(options.config)), dots, options.output)


if __name__ == "__main__":
    run_program(main)
