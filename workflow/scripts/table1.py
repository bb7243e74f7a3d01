#!/usr/bin/env python3
"""Table 1: accuracies and training time on MNIST with different pruning strategies."""

import argparse

from advprune.config import read_config
from advprune.paper_tables import table1
from advprune.program import add_options, run_program
from advprune.results import read_runs
from advprune.tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "runs", "config", "table")
    options = parser.parse_args()
    write_table(options.output, table1(read_runs(options.runs), read_config(options.config)))


if __name__ == "__main__":
    run_program(main)
