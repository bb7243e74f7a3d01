#!/usr/bin/env python3
"""Appendix C: the toy model of robust and fragile features, simulated."""

import argparse

from advprune.appendix_c import appendix_c
from advprune.config import read_config
from advprune.program import add_options, run_program
from advprune.tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "config", "table")
    options = parser.parse_args()
    write_table(options.output, appendix_c(read_config(options.config)))


if __name__ == "__main__":
    run_program(main)
