"""What all benchmarks do alike: ways of one thing timed in turn, and one table of all numbers.

Speeds are CPU seconds, which hold on a machine that others use too, and what is compared is timed
in turn, round by round, so that whatever slows the machine slows all ways alike. Importing this
module puts the library on Python's path.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from statistics import median

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "workflow/scripts"))


@dataclass(frozen=True)
class Row:
    """A number, and how far it varied.

    Attributes:
        subject: the program that measured it.
        quantity: what was measured.
        way: of which of the ways that are compared.
        unit: of the numbers.
        median, least, most: over the rounds.
        rounds: how often it was measured.
    """

    subject: str
    quantity: str
    way: str
    unit: str
    median: float
    least: float
    most: float
    rounds: int


COLUMNS = tuple(column.name for column in fields(Row))


@dataclass
class Table:
    """The numbers of a subject."""

    subject: str
    rows: list[Row] = field(default_factory=list)

    def add(self, quantity: str, way: str, unit: str, values: Iterable[float]) -> None:
        """Add a row for what was measured once or more often."""
        values = list(values)
        spread = (median(values), min(values), max(values), len(values))
        self.rows.append(Row(self.subject, quantity, way, unit, *spread))

    def compare(
        self,
        quantity: str,
        ways: Mapping[str, Callable[[], object]],
        *,
        rounds: int,
        per: tuple[int, str] = (1, "CPU seconds"),
        clock: Callable[[], float] = time.process_time,
    ) -> None:
        """Time several ways, and how many times faster than the first each other one is.

        Args:
            quantity: what they all do.
            ways: name to what does it.
            rounds: how often each is timed; it is called once more before, uncounted.
            per: what one call counts for, such as ``(500, "CPU milliseconds an image")``; a unit
                that begins with "CPU milliseconds" is converted.
            clock: seconds so far.
        """
        seconds = interleaved(ways, rounds=rounds, clock=clock)
        count, unit = per
        scale = (1000 if unit.startswith("CPU milliseconds") else 1) / count
        base, *others = ways
        for name, measured in seconds.items():
            self.add(quantity, name, unit, [scale * each for each in measured])
        for name in others:
            ratios = [x / y for x, y in zip(seconds[base], seconds[name], strict=True)]
            self.add(f"{quantity}: speed against {base}", name, "times", ratios)


def interleaved(
    ways: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, list[float]]:
    """Seconds that each way took in each round; the order turns round from round to round."""
    for work in ways.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in list(ways)[:: -1 if number % 2 else 1]:
            before = clock()
            ways[name]()
            seconds[name].append(clock() - before)
    return seconds


def children_seconds() -> float:
    """CPU seconds of all programs that were started and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(command: Sequence[str | Path], cwd: Path = PROJECT) -> str:
    """Run a program quietly, and return what it printed.

    Raises:
        RuntimeError: it failed; the message ends with what it printed.
    """
    ended = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"{command} failed: {(ended.stdout + ended.stderr)[-2000:]}")
    return ended.stdout


# Runs a program and prints what it took. A process counts what the one that started it held in
# memory, so programs are not started by a benchmark that has loaded PyTorch.
STARTER = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
ended = subprocess.run(sys.argv[1:], stdout=sys.stderr)
seconds, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, seconds, used.ru_maxrss / 1024]))
sys.exit(ended.returncode)
"""


def taken_by(command: Sequence[str | Path], cwd: Path = PROJECT) -> list[float]:
    """CPU seconds, seconds and peak memory in MB of a program.

    Raises:
        RuntimeError: it failed.
    """
    return json.loads(run([sys.executable, "-c", STARTER, *command], cwd))


def write_table(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as CSV, with four digits each."""
    rounded = ("median", "least", "most")
    write_rows(
        path,
        [
            {name: f"{value:.4g}" if name in rounded else value for name, value in row.items()}
            for row in map(asdict, rows)
        ],
    )


def write_rows(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows, which are written out already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def print_table(rows: Iterable[Row]) -> None:
    """Print rows for people."""
    for row in rows:
        spread = f" ({row.least:.4g} to {row.most:.4g}, n = {row.rounds})" * (row.rounds > 1)
        what = f"{row.quantity}, {row.way}" if row.way else row.quantity
        print(f"{row.subject:<11} {what}: {row.median:.4g} {row.unit}{spread}", flush=True)


def run_benchmark(subject: str, about: str, measure: Callable[[Table, bool], None]) -> None:
    """Run one benchmark by itself.

    Args:
        subject: its name.
        about: its docstring.
        measure: is given a table to fill in, and whether to do so at a tiny size, which shows that
            the program works and nothing of speeds.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--tiny", action="store_true", help="only show that it works")
    parser.add_argument("--output", required=True, type=Path, help="the .csv file to write")
    options = parser.parse_args()
    table = Table(subject)
    try:
        measure(table, options.tiny)
    finally:  # what was measured before an error
        write_table(options.output, table.rows)
        print_table(table.rows)
