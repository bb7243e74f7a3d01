#!/usr/bin/env python3
"""Figure 8's tests with corrected p-values, effect sizes and tests free of normality."""

import argparse

from advprune.comparisons_table import comparisons
from advprune.config import read_config
from advprune.program import add_options, run_program
from advprune.results import read_runs
from advprune.tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "runs", "config", "table")
    options = parser.parse_args()
    write_table(options.output, comparisons(read_runs(options.runs), read_config(options.config)))


if __name__ == "__main__":
    run_program(main)
