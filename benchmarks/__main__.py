"""All benchmarks one after the other, each in a Python of its own: `make bench`.

A benchmark that fails does not stop the others; what it has measured until then is kept.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import measuring

SUBJECTS = ("training", "distances", "attacks", "starts", "overhead", "planning", "memory")


def main() -> None:
    """Run them, and join their tables."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="only show that they work")
    parser.add_argument("--output", required=True, type=Path, help="the .csv file to write")
    options = parser.parse_args()
    rows, failed = [], []
    with tempfile.TemporaryDirectory() as folder:
        for subject in SUBJECTS:
            table = Path(folder) / f"{subject}.csv"
            program = Path(__file__).with_name(f"{subject}.py")
            command = [sys.executable, program, "--output", table, *["--tiny"] * options.tiny]
            if subprocess.run(command, check=False).returncode:
                failed.append(subject)
            if table.exists():
                with open(table, newline="", encoding="utf-8") as file:
                    rows += csv.DictReader(file)
            measuring.write_rows(options.output, rows)
    print(f"written to {options.output}")
    if failed:
        sys.exit(f"error: failed: {', '.join(failed)}; see above")


if __name__ == "__main__":
    main()
