#!/usr/bin/env python3
"""Compare results that were made again with those that were published; status 1 if they differ."""

import argparse
import sys
from pathlib import Path

from advprune.archive.compare import compared_files, differences, take_over
from advprune.program import run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("made", type=Path, help="a folder of results")
    parser.add_argument("published", type=Path, help="another")
    parser.add_argument(
        "--update", action="store_true", help="publish what was made, instead of complaining"
    )
    options = parser.parse_args()
    found = differences(options.made, options.published)
    for line in found:
        print(line)
    if options.update:
        take_over(options.made, options.published)
        print(f"{options.published} is what was made; what differed before is listed above")
        return
    if found:
        sys.exit(f"error: {options.made} differs from {options.published}, as listed above")
    count = len(compared_files(options.published))
    print(f"{count} files of numbers and text in {options.published} came out the same")


if __name__ == "__main__":
    run_program(main)
