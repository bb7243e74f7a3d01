"""What a referee would ask of the tests of Figure 8, beside the paper's own."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd

from advprune.analysis.collapse import Split, split_difference
from advprune.analysis.comparison import RESAMPLES, Comparison, Interval, compare, holm
from advprune.analysis.hypotheses import hypotheses
from advprune.analysis.metrics import PAPERS_ATTACKS
from advprune.analysis.notes import TWO_ATTACKS, diverged_note, face_note, mixture_notes
from advprune.analysis.paired import PairedComparison, compare_pairs
from advprune.analysis.statistics import (
    COLLAPSE_LEVELS,
    ShareInterval,
    count_collapsed,
    share_interval,
)
from advprune.analysis.superiority import probability_higher
from advprune.plan.config import Config
from advprune.spec.methods import METHODS
from advprune.tables.figure8 import nothing_to_test
from advprune.tables.table import Table

HIGHER_LEVELS = COLLAPSE_LEVELS[1:]  # of collapse, for whoever would draw the line elsewhere
LEAST_SHOWN = "0.0001"  # about the least that so many resamples can give
TITLE = "Figure 8's tests, with what a referee would ask"
NOTES = (
    "a column compares two methods, the one named first less the other; Welch's test of the "
    "difference of means is the paper's, the others show whether its answer depends on the choice",
    "p-values: one-sided, the first method's mean accuracy is the higher; in round brackets: "
    "corrected for all tests of that kind under the same attack (Holm); a dash: too few runs, or "
    "no spread",
    "square brackets: 95% intervals: Welch's of the difference, the percentile bootstrap's "
    f"({RESAMPLES:,} resamples of the seeds) where it is named and of both parts, the normal "
    "approximation's of Hedges' g, Newcombe's of the probability, Wilson's of shares",
    "probability that the first is higher: of a run of either method, equal ones counted as half",
    "collapsed: runs with an accuracy below 1% under that attack; shares compared by Boschloo's "
    "exact test",
    "part from collapse: what of the difference is due to how many runs collapse, the rest to how "
    "good the runs are; each averaged over both methods' values of the other, so that they add up",
    "below 5%, below 10%: the same where a run has collapsed already with such an accuracy",
    "runs for 80% power: how many runs a group would show the observed difference at a one-sided "
    "level of 5% in the test of unpaired runs; ∞: it points the other way",
)
PAIRED_NOTE = (
    "pairs: runs of one seed, which share initial weights, order and random starts; rows that do "
    "not name them take all runs to be independent, the parts' intervals apart, which keep pairs "
    "together. The sign-flip test swaps the runs of pairs. Pairs won: equal ones counted as half"
)
NOT_PAIRED_NOTE = "runs of one seed share no random numbers (paired_seeds): no tests of pairs"


def comparisons(runs: pd.DataFrame, config: Config) -> Table:
    """Each of Figure 8's tests with corrected p-values, effect sizes, and tests free of normality.

    Args:
        runs: those of Table 1.
        config: the config that ran.
    """
    paired = config["paired_seeds"]
    rows = [
        tested | compared(first, second, paired=paired)
        for tested, first, second in hypotheses(runs, config)
    ]
    if not rows:
        return nothing_to_test(TITLE, config)
    numbers = pd.DataFrame(rows)
    for test in ("welch_p", "permutation_p", "paired_t_p", "sign_flip_p"):
        if test in numbers:
            corrected = numbers.groupby("metric")[test].transform(holm)
            numbers.insert(numbers.columns.get_loc(test) + 1, f"{test}_holm", corrected)
    notes = [
        *NOTES,
        PAIRED_NOTE if paired else NOT_PAIRED_NOTE,
        TWO_ATTACKS,
        *diverged_note(runs),
        *mixture_notes(runs, paired=paired),
        *face_note(config, ["mnist"]).split("\n"),
    ]
    return Table(TITLE, numbers, shown_comparisons(numbers), notes)


def compared(first: pd.Series, second: pd.Series, *, paired: bool) -> dict[str, float]:
    """One row of numbers: two groups of accuracies, in percent, with their seeds as index."""
    one, other = first.to_numpy(), second.to_numpy()
    row = {"n": len(one), "n_against": len(other)}
    for name, of in (("mean", np.mean), ("median", np.median)):
        for group, values in (("", one), ("_against", other)):
            row[f"{name}{group}"] = float(of(values)) if len(values) else np.nan
    row |= _flat_comparison(compare(one, other))
    row |= _flat("probability_higher_percent", _percent(probability_higher(one, other)))
    if paired:
        row |= _flat_pairs(compare_pairs(first, second))
    row |= _flat_split(split_difference(first, second, paired=paired))
    for level in HIGHER_LEVELS:
        found = split_difference(first, second, paired=paired, below=level)
        end = f"_below_{level:g}"
        for group, values in (("", first), ("_against", second)):
            share = share_interval(count_collapsed(values, below=level), len(values))
            row |= _flat(f"collapsed{group}_percent{end}", _percent(share))
        row |= _flat(f"from_collapse{end}", found.from_collapse)
        row |= _flat(f"from_the_rest{end}", found.from_the_rest)
    return row


def shown_comparisons(numbers: pd.DataFrame) -> pd.DataFrame:
    """The table as it is printed: a column for each comparison, so that it is narrow.

    Below one another: the attacks, every p (and e, if there are several), and all that was found.
    """
    keys = ["metric", "p"] + (["e"] if numbers["e"].nunique() > 1 else [])
    blocks = []
    for key, group in numbers.groupby(keys, sort=False):
        block = pd.DataFrame({"Quantity": [name for name, _ in _quantities(numbers)]})
        for row in group.to_dict("records"):
            heading = f"{METHODS[row['method']].label} > {METHODS[row['against']].label}"
            block[heading] = [show(row) for _, show in _quantities(numbers)]
        for place, (name, value) in enumerate(zip(keys, key, strict=True)):
            heading, value = ("Under", PAPERS_ATTACKS[value]) if name == "metric" else (name, value)
            block.insert(place, heading, value)
        blocks.append(block)
    return pd.concat(blocks, ignore_index=True)


Row = dict[str, float]
Quantities = list[tuple[str, Callable[[Row], str]]]


def _quantities(numbers: pd.DataFrame) -> Quantities:
    """What is printed of a comparison, in this order: its name, and its text made from a row."""
    pairs: Quantities = [
        ("Pairs", lambda row: str(row["pairs"])),
        ("Correlation of pairs", lambda row: _number(row["pairs_correlation"])),
        ("Mean difference of pairs (points)", _interval("pairs_difference")),
        ("Paired t-test: p-value (Holm)", _p_values("paired_t_p")),
        ("Sign-flip test: p-value (Holm)", _p_values("sign_flip_p")),
        ("Pairs won (%)", _interval("pairs_won_percent")),
    ]
    return [
        ("n", lambda row: f"{row['n']}, {row['n_against']}"),
        ("Mean (%)", _both("mean")),
        ("Median (%)", _both("median")),
        ("Difference of means (points)", _interval("difference")),
        ("Difference, bootstrap (points)", _interval("bootstrap")),
        ("Hedges' g", _interval("hedges_g")),
        ("Probability that the first is higher (%)", _interval("probability_higher_percent")),
        ("Welch's test: p-value (Holm)", _p_values("welch_p")),
        ("Permutation test: p-value (Holm)", _p_values("permutation_p")),
        ("Runs for 80% power", lambda row: _count(row["runs_for_power"])),
        *(pairs if "pairs" in numbers else []),
        ("Collapsed, first (%)", _interval("collapsed_percent")),
        ("Collapsed, second (%)", _interval("collapsed_against_percent")),
        ("Equal shares collapsed: p-value", lambda row: _p_value(row["collapsed_p"])),
        ("Mean of runs that work (%)", _both("working_mean")),
        ("Part from collapse (points)", _interval("from_collapse")),
        ("Part from the rest (points)", _interval("from_the_rest")),
        *(
            (f"{name}, below {level:g}% ({unit})", _interval(f"{column}_below_{level:g}"))
            for level in HIGHER_LEVELS
            for name, unit, column in (
                ("Collapsed, first", "%", "collapsed_percent"),
                ("Collapsed, second", "%", "collapsed_against_percent"),
                ("Part from collapse", "points", "from_collapse"),
                ("Part from the rest", "points", "from_the_rest"),
            )
        ),
    ]


def _flat_comparison(found: Comparison) -> Row:
    row = {}
    for name in ("difference", "bootstrap", "hedges_g"):
        row |= _flat(name, getattr(found, name))
    row |= {"welch_p": found.welch_p, "permutation_p": found.permutation_p}
    for name, share in zip(("collapsed", "collapsed_against"), found.collapsed, strict=True):
        row |= _flat(f"{name}_percent", _percent(share))
    return row | {"collapsed_p": found.collapsed_p, "runs_for_power": found.runs_for_power}


def _flat_pairs(found: PairedComparison) -> Row:
    return {
        "pairs": found.n,
        "pairs_correlation": found.correlation,
        **_flat("pairs_difference", found.difference),
        "paired_t_p": found.t_p,
        "sign_flip_p": found.sign_flip_p,
        "pairs_equal": found.ties,
        **_flat("pairs_won_percent", _percent(found.won)),
    }


def _flat_split(found: Split) -> Row:
    return {
        "working_mean": found.working[0],
        "working_mean_against": found.working[1],
        **_flat("from_collapse", found.from_collapse),
        **_flat("from_the_rest", found.from_the_rest),
    }


def _flat(name: str, interval: Interval) -> Row:
    return {f"{name}_{part}": value for part, value in dataclasses.asdict(interval).items()}


def _percent(share: Interval | ShareInterval) -> Interval:
    value = share.share if isinstance(share, ShareInterval) else share.value
    return Interval(100 * value, 100 * share.low, 100 * share.high)


def _interval(name: str) -> Callable[[Row], str]:
    def show(row: Row) -> str:
        value, low, high = (row[f"{name}_{part}"] for part in ("value", "low", "high"))
        if pd.isna(low):
            return _number(value)
        return f"{_number(value)} [{_number(low)}, {_number(high)}]"

    return show


def _both(name: str) -> Callable[[Row], str]:
    return lambda row: f"{_number(row[name])}, {_number(row[f'{name}_against'])}"


def _p_values(test: str) -> Callable[[Row], str]:
    return lambda row: f"{_p_value(row[test])} ({_p_value(row[f'{test}_holm'])})"


def _number(value: float) -> str:
    # Adding 0 makes of a rounded -0.00 a 0.00.
    return "–" if pd.isna(value) else f"{round(value, 2) + 0:.2f}"


def _p_value(value: float) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:.4f}" if value >= float(LEAST_SHOWN) else f"<{LEAST_SHOWN}"


def _count(value: float) -> str:
    if pd.isna(value):
        return "–"
    return "∞" if value == float("inf") else f"{value:.0f}"
