"""Every benchmark works, by itself, at a tiny size; how fast anything is no test asks."""

import ast
import csv
import importlib.util
import math
import subprocess
import sys

import pytest
from workflow_tools import PROJECT

import measuring

BENCHMARKS = PROJECT / "benchmarks"
SUBJECTS = [
    path.stem
    for path in sorted(BENCHMARKS.glob("*.py"))
    if "run_benchmark" in path.read_text() and path.stem != "measuring"
]
EXTRA = {"distances": "foolbox"}  # what is not in the default installation


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_benchmark_writes_its_numbers(subject, tmp_path):
    if subject in EXTRA and importlib.util.find_spec(EXTRA[subject]) is None:
        pytest.skip(f"{EXTRA[subject]} is not installed: make .venv/bench")
    output = tmp_path / "table.csv"
    ended = subprocess.run(
        [sys.executable, BENCHMARKS / f"{subject}.py", "--tiny", "--output", output],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    with open(output, newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert tuple(row) == measuring.COLUMNS
        assert row["subject"] == subject
        least, middle, most = (float(row[name]) for name in ("least", "median", "most"))
        # What one job more costs is a difference of two times: at a tiny size it may be below 0.
        assert -math.inf < least <= middle <= most < math.inf
    assert len({(row["quantity"], row["way"], row["unit"]) for row in rows}) == len(rows)
    assert len(ended.stdout.splitlines()) == len(rows)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_benchmark_says_what_it_measures(subject):
    docstring = ast.get_docstring(ast.parse((BENCHMARKS / f"{subject}.py").read_text()))
    assert len(docstring.splitlines()[0]) > 40
