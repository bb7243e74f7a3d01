"""What a referee would ask of the tests of Figure 8, beside the paper's own."""

import dataclasses

import pandas as pd

from advprune.analysis.comparison import RESAMPLES, Comparison, compare, holm
from advprune.analysis.hypotheses import hypotheses
from advprune.analysis.metrics import PAPERS_ATTACKS
from advprune.analysis.notes import TWO_ATTACKS, diverged_note, face_note, mixture_notes
from advprune.plan.config import Config
from advprune.spec.methods import METHODS
from advprune.tables.figure8 import nothing_to_test
from advprune.tables.table import Table

TITLE = "Figure 8's tests, with what a referee would ask"
NOTES = (
    "one-sided: the first method's mean accuracy is the higher; Holm: corrected for all tests of "
    "the same attack",
    "brackets: 95% intervals: Welch's of the difference, the normal approximation's of Hedges' g, "
    f"the percentile bootstrap's ({RESAMPLES:,} resamples), Wilson's of shares",
    "collapsed: runs with an accuracy below 1% under that attack; shares compared by Boschloo's "
    "exact test",
    "runs for 80% power: how many runs a group would show the observed difference at a one-sided "
    "level of 5%; ∞: it points the other way",
    "runs of one seed share initial weights and order, which these tests do not use",
)


def comparisons(runs: pd.DataFrame, config: Config) -> Table:
    """Each of Figure 8's tests with corrected p-values, effect sizes, and tests free of normality.

    Args:
        runs: those of Table 1.
        config: the config that ran.
    """
    rows = []
    for tested, first, second in hypotheses(runs, config):
        sizes = {"n": len(first), "n_against": len(second)}
        rows.append(tested | sizes | _flat(compare(first, second)))
    if not rows:
        return nothing_to_test(TITLE, config)
    numbers = pd.DataFrame(rows)
    for test in ("welch", "permutation"):
        corrected = numbers.groupby("metric")[f"{test}_p"].transform(holm)
        numbers.insert(numbers.columns.get_loc(f"{test}_p") + 1, f"{test}_p_holm", corrected)
    shown = pd.DataFrame(
        {
            "More robust": numbers["method"].map(lambda name: METHODS[name].label),
            "than": numbers["against"].map(lambda name: METHODS[name].label),
            "p": numbers["p"],
            "Measured by": numbers["metric"].map(PAPERS_ATTACKS),
            "n": [f"{row.n}, {row.n_against}" for row in numbers.itertuples()],
            "Difference (points)": _intervals(numbers, "difference"),
            "Bootstrap": _intervals(numbers, "bootstrap"),
            "Hedges' g": _intervals(numbers, "hedges_g"),
            "Welch p (Holm)": _p_values(numbers, "welch"),
            "Permutation p (Holm)": _p_values(numbers, "permutation"),
            "Collapsed (%)": _intervals(numbers, "collapsed_percent"),
            "against (%)": _intervals(numbers, "collapsed_against_percent"),
            "p of equal shares": numbers["collapsed_p"].map(_p_value),
            "Runs for 80% power": numbers["runs_for_power"].map(_count),
        }
    )
    notes = [
        *NOTES,
        TWO_ATTACKS,
        *diverged_note(runs),
        *mixture_notes(runs),
        *face_note(config, ["mnist"]).split("\n"),
    ]
    return Table(TITLE, numbers, shown, notes)


def _flat(found: Comparison) -> dict[str, float]:
    """One row of numbers."""
    row = {}
    for name in ("difference", "bootstrap", "hedges_g"):
        interval = dataclasses.asdict(getattr(found, name))
        row |= {f"{name}_{part}": value for part, value in interval.items()}
    row |= {"welch_p": found.welch_p, "permutation_p": found.permutation_p}
    for name, share in zip(("collapsed", "collapsed_against"), found.collapsed, strict=True):
        parts = {"value": share.share, "low": share.low, "high": share.high}
        row |= {f"{name}_percent_{part}": 100 * value for part, value in parts.items()}
    return row | {"collapsed_p": found.collapsed_p, "runs_for_power": found.runs_for_power}


def _intervals(numbers: pd.DataFrame, name: str) -> list[str]:
    parts = numbers[[f"{name}_{part}" for part in ("value", "low", "high")]]
    return [_interval(*row) for row in parts.itertuples(index=False)]


def _interval(value: float, low: float, high: float) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:.2f}" if pd.isna(low) else f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _p_values(numbers: pd.DataFrame, test: str) -> list[str]:
    both = numbers[[f"{test}_p", f"{test}_p_holm"]]
    return [f"{_p_value(p)} ({_p_value(holm_p)})" for p, holm_p in both.itertuples(index=False)]


def _p_value(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.4f}"


def _count(value: float) -> str:
    if pd.isna(value):
        return "–"
    return "∞" if value == float("inf") else f"{value:.0f}"
