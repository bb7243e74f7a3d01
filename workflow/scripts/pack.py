#!/usr/bin/env python3
"""Pack the finished runs of a config into files small enough to be committed.

Runs that are packed already are kept, and those of other configs.
"""

import argparse
from pathlib import Path

from advprune.archive.packing import pack
from advprune.plan.config import load_config
from advprune.plan.protocols import results_name
from advprune.program import add_options, run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "configs")
    parser.add_argument("published", type=Path, help="the folder to pack them into")
    options = parser.parse_args()
    config = load_config(*options.config)
    written = pack(Path("results") / results_name(config), config, options.published)
    print(f"{len(written)} packs are new or have grown in {options.published}")


if __name__ == "__main__":
    run_program(main)
