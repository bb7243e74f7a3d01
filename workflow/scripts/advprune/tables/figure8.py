"""Figure 8: one-sided Welch's t-tests (appendix B)."""

import dataclasses

import numpy as np
import pandas as pd

from advprune.analysis.hypotheses import hypotheses
from advprune.analysis.metrics import PAPERS_ATTACKS
from advprune.analysis.notes import TWO_ATTACKS, diverged_note, face_note, mixture_notes
from advprune.analysis.statistics import mean_interval, welch_greater
from advprune.plan.config import Config
from advprune.spec.methods import METHODS
from advprune.tables.table import Table


def figure8(runs: pd.DataFrame, config: Config) -> Table:
    """Figure 8: one-sided Welch's t-tests on AutoAttack accuracy (appendix B)."""
    rows = [
        tested | _welch_row(first.to_numpy(), second.to_numpy())
        for tested, first, second in hypotheses(runs, config)
    ]
    if not rows:
        return nothing_to_test("Figure 8: hypothesis tests", config)
    numbers = pd.DataFrame(rows)
    shown = pd.DataFrame(
        {
            "Test": numbers["test"],
            "More robust": numbers["method"].map(lambda name: METHODS[name].label),
            "than": numbers["against"].map(lambda name: METHODS[name].label),
            "p": numbers["p"],
            "Measured by": numbers["metric"].map(PAPERS_ATTACKS),
            "n": [f"{row.n}, {row.n_against}" for row in numbers.itertuples()],
            "Difference (points)": numbers["difference"].map(_number),
            "t": numbers["statistic"].map(_number),
            "p value": numbers["p_value"].map(lambda value: _number(value, 6)),
        }
    )
    notes = [
        "one-sided Welch's t-tests; a dash: fewer than two runs, or no spread",
        TWO_ATTACKS,
        f"the paper's tests are compared with those by {PAPERS_ATTACKS[numbers['metric'].iloc[0]]}",
        *diverged_note(runs),
        *mixture_notes(runs),
        *face_note(config, ["mnist"]).split("\n"),
    ]
    return Table("Figure 8: hypothesis tests", numbers, shown, notes)


def nothing_to_test(title: str, config: Config) -> Table:
    """An empty table, where no run with pruning has finished yet."""
    empty = pd.DataFrame({"Test": []})
    notes = ["no run with pruning has finished", *face_note(config, ["mnist"]).split("\n")]
    return Table(title, empty, empty, notes)


def _welch_row(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    return {
        "n": len(first),
        "n_against": len(second),
        "mean": mean_interval(first).mean,
        "mean_against": mean_interval(second).mean,
        **dataclasses.asdict(welch_greater(first, second)),
    }


def _number(value: float, digits: int = 2) -> str:
    return "–" if pd.isna(value) else f"{value:.{digits}f}"
