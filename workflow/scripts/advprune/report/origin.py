"""How the results came to be: runs, versions, devices and time."""

import collections
import datetime
import itertools
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from advprune.analysis.notes import duration, mixture_notes
from advprune.analysis.verdict_table import runs_named_in
from advprune.plan.config import Config
from advprune.plan.departures import paper_config
from advprune.plan.exhibits import runs_of
from advprune.spec.runs import Run
from advprune.storage.records import read_record

ANALYSIS_PACKAGES = ("numpy", "pandas", "scipy", "statsmodels", "scikit-learn", "matplotlib")
NOT_KNOWN = "not known"


@dataclass(frozen=True)
class Origin:
    """What the report says of how the results were made.

    Attributes:
        done: how many runs there are.
        planned: how many the config asks for.
        paper: how many the paper's scale asks for.
        missing: where runs are missing, and how many, a phrase each.
        warnings: what a reader must know before comparing numbers.
        facts: name and value.
    """

    done: int
    planned: int
    paper: int
    missing: Sequence[str]
    warnings: Sequence[str]
    facts: Sequence[tuple[str, str]]


def origin(runs: pd.DataFrame | None, config: Config, folder: Path) -> Origin:
    """Gather it.

    Args:
        runs: the table of runs; None where no run has finished.
        config: the config that ran.
        folder: holds the runs' folders, with the record of each.

    Raises:
        UserError: a record is damaged.
    """
    planned = runs_of("all", config)
    if runs is None:
        done, warnings, facts = [], [], []
    else:
        done = runs_named_in(runs)
        warnings = mixture_notes(runs)
        facts = [
            *cost(runs),
            ("Trained on", _tally(runs["device"])),
            ("Library’s source", _tally(runs["source"])),
            *_records(done, folder),
        ]
    return Origin(
        done=len(done),
        planned=len(planned),
        paper=len(runs_of("all", paper_config(config["protocol"]))),
        missing=_missing(planned, done),
        warnings=warnings,
        facts=[*facts, ("Tables and this page", _analysis_packages())],
    )


def cost(runs: pd.DataFrame) -> list[tuple[str, str]]:
    """What the runs of a table have cost, and how many diverged: name and value."""
    columns = ["training_seconds", "uncompared_seconds", "scoring_seconds", "evaluation_seconds"]
    compared, others, scoring, evaluation = runs[columns].sum()
    training, scoring, evaluation = map(duration, (compared + others, scoring, evaluation))
    return [
        ("Diverged", f"{runs['diverged_epoch'].notna().sum()} of {len(runs)} runs"),
        ("Training", f"{training} in all, {scoring} of them DeepFool's"),
        ("Evaluation", f"{evaluation} in all"),
    ]


def _records(done: Sequence[Run], folder: Path) -> list[tuple[str, str]]:
    """What the records of single runs say, as far as they are there."""
    trained, evaluated = (
        [
            read_record(path)["provenance"]
            for run in done
            if (path := folder / run.folder / name).exists()
        ]
        for name in ("run.json", "evaluation.json")
    )
    both = [*trained, *evaluated]
    facts = [
        ("Evaluated on", _tally(record["device"] for record in evaluated)),
        ("CPU threads", _tally(record["threads"] for record in both)),
        ("Software", _tally(map(_software, both))),
        ("Commit", _tally(map(_commit, both))),
        ("From, to", _span(both)),
    ]
    if gone := 2 * len(done) - len(both):
        facts.append(("Records", f"{gone} of {2 * len(done)} (run.json, evaluation.json) are gone"))
    return facts


def _software(record: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in record["packages"].items())
    return f"Python {record['python']}, {packages}"


def _commit(record: dict[str, Any]) -> str:
    if record["commit"] is None:
        return f"{NOT_KNOWN} (no git repository)"
    changed = " with uncommitted changes" if record["uncommitted_changes"] else ", no changes"
    return record["commit"] + changed


def _span(found: Sequence[dict[str, Any]]) -> str:
    if not found:
        return NOT_KNOWN
    first = min(datetime.datetime.fromisoformat(record["started"]) for record in found)
    last = max(datetime.datetime.fromisoformat(record["ended"]) for record in found)
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def _analysis_packages() -> str:
    packages = ", ".join(f"{name} {metadata.version(name)}" for name in ANALYSIS_PACKAGES)
    return f"Python {platform.python_version()}, {packages}"


def _missing(planned: Iterable[Run], done: Iterable[Run]) -> list[str]:
    there = set(done)
    cells = itertools.groupby(planned, key=lambda run: run.folder.parent)
    counted = [(cell, [run in there for run in runs]) for cell, runs in cells]
    return [
        f"{cell}: {found.count(False)} of {len(found)} runs"
        for cell, found in counted
        if not all(found)
    ]


def _tally(values: Iterable[object]) -> str:
    """What there is; where that is more than one thing, with how often, the most frequent first."""
    counts = collections.Counter(NOT_KNOWN if pd.isna(value) else str(value) for value in values)
    if len(counts) < 2:
        return next(iter(counts), NOT_KNOWN)
    return "; ".join(f"{value} ({count} times)" for value, count in counts.most_common())
