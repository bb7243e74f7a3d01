#!/usr/bin/env python3
"""Read or make a data set and write it as one file that every job can map into memory."""

import argparse
import os
from pathlib import Path

from advprune.program import run_program
from advprune.spec.datasets import DATASETS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=DATASETS)
    parser.add_argument(
        "--root",
        default=os.environ.get("ADVPRUNE_DATA"),
        help="folder that holds data sets, as torchvision lays them out [$ADVPRUNE_DATA]",
    )
    parser.add_argument("--output", required=True, help="the .safetensors file to write")
    options = parser.parse_args()

    from advprune.data.examples import save_examples
    from advprune.data.loading import load_arrays
    from advprune.data.published import check_root

    root = Path(options.root) if options.root else None
    check_root(root)
    save_examples(options.output, options.name, load_arrays(options.name, root))


if __name__ == "__main__":
    run_program(main)
