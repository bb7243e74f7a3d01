#!/usr/bin/env python3
"""Put published runs where the workflow looks for them: it then makes those alone that are missing.

Runs that are there already are kept.
"""

import argparse
from pathlib import Path

from advprune.archive.packing import unpack
from advprune.plan.config import load_config
from advprune.plan.protocols import results_name
from advprune.program import add_options, run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "configs")
    parser.add_argument("published", type=Path, help="the folder of the packs")
    options = parser.parse_args()
    config = load_config(*options.config)
    scale = Path("results") / results_name(config)
    count = unpack(options.published, scale, config)
    print(f"{count} runs and starts of {options.published} were put into {scale}")


if __name__ == "__main__":
    run_program(main)
