#!/usr/bin/env python3
"""Figure 7: the hyperparameters, read from the config that ran."""

import argparse

from advprune.config import read_config
from advprune.paper_tables import figure7
from advprune.program import add_options, run_program
from advprune.tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "config", "table")
    options = parser.parse_args()
    write_table(options.output, figure7(read_config(options.config)))


if __name__ == "__main__":
    run_program(main)
