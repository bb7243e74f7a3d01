#!/usr/bin/env python3
"""Write down the whole config that a scale is run with, checked, as one JSON file."""

import argparse
import json

from advprune.plan.config import write_config
from advprune.program import run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="the config, as JSON")
    parser.add_argument("--output", required=True, help="the .json file to write, with its .sha256")
    options = parser.parse_args()
    write_config(options.output, json.loads(options.config))


if __name__ == "__main__":
    run_program(main)
