#!/usr/bin/env python3
"""Write down the whole config that a scale is run with, checked, as one JSON file."""

import argparse
import json

from advprune.errors import UserError
from advprune.plan.config import write_config
from advprune.program import run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="the config, as JSON")
    parser.add_argument("--output", required=True, help="the .json file to write, with its .sha256")
    options = parser.parse_args()
    try:
        config = json.loads(options.config)
    except ValueError as error:
        raise UserError(
            f"--config is not JSON ({error}): give the config's text, not a file"
        ) from error
    write_config(options.output, config)


if __name__ == "__main__":
    run_program(main)
