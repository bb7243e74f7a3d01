#!/usr/bin/env python3
"""Write down the whole config that a scale is run with, checked, as one JSON file."""

import argparse
import json

from advprune.config import check_config
from advprune.files import write_json
from advprune.program import run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="the config, as JSON")
    parser.add_argument("--output", required=True, help="the .json file to write")
    options = parser.parse_args()
    config = json.loads(options.config)
    check_config(config)
    write_json(options.output, config)


if __name__ == "__main__":
    run_program(main)
