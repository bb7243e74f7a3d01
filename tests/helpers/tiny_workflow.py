"""A scale smaller than smoke, for tests that run a part of the workflow many times over."""

import json
import re
from pathlib import Path

import pandas as pd

TINY = """
scale: tiny
execution: {seeds_per_job: 1}
studies:
  mnist:
    dataset: mnist5k
    train_examples: 300
    training: {epochs: 30, batch_size: 50}
    evaluation: {autoattack_examples: 2, single_attack_examples: 4}
    scores: {seeds: 1}
    experiments:
      accuracy: {methods: [low-loss], p: [0.5], seeds: 1}
      table1: {methods: [low-loss], p: [0.5, 1.0], seeds: 2}
      pruning_epoch: {methods: [low-loss], p: [0.5], e: [1], seeds: 1}
      standard: {seeds: 1}
  cifar10:
    dataset: shapes10
    train_examples: 100
    training: {width: 0.0625, epochs: 4}
    evaluation: {autoattack_examples: 1, single_attack_examples: 2}
    scores: {seeds: 1}
    experiments:
      accuracy: {methods: [low-loss], p: [0.5], seeds: 1}
      standard: {seeds: 1}
"""
COMMAND = ("--cores", "2", "--configfile", "config/tiny.yaml")
TARGETS = ("table1", "figure6")  # of these the tests make all that they need

TIMES = {"seconds", "scoring_seconds", "started", "ended", "digest", "training.csv"}
# They show training times.
TIMED = re.compile(r"figure5\.\w+|table1\.(md|tex|html|json)|.*\.(log|sha256)")


def differences(found: Path, wanted: Path) -> set[str]:
    """The files of two folders that differ, or are in one alone, apart from times."""

    def files(folder):
        # Benchmarks are times alone; a Snakemake that is killed as a job ends leaves none of it.
        there = {
            path
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ".tsv" and path.name != "losses.json"
        }
        return {str(path.relative_to(folder)) for path in there}

    names = files(found) | files(wanted)
    return {name for name in names if not same(found / name, wanted / name)}


def same(first: Path, second: Path) -> bool:
    """Whether two files are equal, apart from times."""
    if not (first.exists() and second.exists()):
        return False
    if TIMED.fullmatch(first.name):
        return True
    if first.suffix == ".json":
        contents = [without_times(json.loads(path.read_text())) for path in (first, second)]
        if "blocks" in first.parts:  # the hashes of records, in which there are times
            return contents[0].keys() == contents[1].keys()
        return contents[0] == contents[1]
    if first.suffix == ".csv":
        tables = [pd.read_csv(path, dtype=str) for path in (first, second)]
        untimed = [table.loc[:, ~table.columns.str.contains("seconds")] for table in tables]
        return untimed[0].equals(untimed[1])
    return first.read_bytes() == second.read_bytes()


def without_times(content: object) -> object:
    """JSON without its times."""
    if isinstance(content, dict):
        return {k: without_times(v) for k, v in content.items() if k not in TIMES}
    return content
