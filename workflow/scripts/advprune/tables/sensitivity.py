"""Supplement: does the answer depend on a switch that the paper leaves open, or sets otherwise?"""

from collections.abc import Mapping

import pandas as pd

from advprune.analysis.metrics import PAPERS_ATTACKS
from advprune.analysis.notes import diverged_note, face_note, mixture_notes
from advprune.analysis.statistics import RUN_KEYS, collapsed_share, mean_interval
from advprune.plan.config import Config
from advprune.plan.departures import overlaid_settings
from advprune.spec.methods import METHODS
from advprune.tables.table import Table, plus_minus

TITLE = "One switch at a time: do the results depend on it?"
AS_IT_IS = "(as it is)"
NOTES = (
    "± is half the width of the t-based 95% interval over seeds; what it is worth for fewer than "
    "30 runs, some of which collapse, is in docs/claims.md",
    "change: of the mean, by the variant, over the seeds that both have, seed by seed; none where "
    "a variant has no effect on a method, whose runs are then the config's own",
    "less full: what pruning adds to training on all data by the same variant, seed by seed; the "
    "change of that is how much of it is due to the variant",
)
KEYS = ["variant", *RUN_KEYS]
Key = tuple[str, str, str, str, int]


def sensitivity(runs: pd.DataFrame, config: Config) -> Table:
    """The accuracies of each variant, and how they differ from those of the config as it is.

    Args:
        runs: those of the experiment of its name, with the column ``variant``, empty for the
            config's own.
        config: the config that ran.
    """
    cells = {
        key: group.set_index("seed") for key, group in runs.fillna({"variant": ""}).groupby(KEYS)
    }
    chosen = f"{config['robust_accuracy']}_accuracy"
    numbers = pd.DataFrame(
        {"metric": metric} | dict(zip(KEYS, key, strict=True)) | _row(key, cells, metric)
        for metric in sorted(PAPERS_ATTACKS, key=lambda metric: metric != chosen)
        for key in sorted(cells, key=lambda key: _place(key, config))
        if cells[key][metric].notna().any()
    )
    variants = [
        f"{name}: {'; '.join(overlaid_settings(overlay, config))}"
        for name, overlay in config["variants"].items()
    ]
    notes = [
        *NOTES,
        *variants,
        *diverged_note(runs),
        *mixture_notes(runs, paired=True),
        *face_note(config, ["mnist"]).split("\n"),
    ]
    return Table(TITLE, numbers, _shown(numbers), notes)


def _place(key: Key, config: Config) -> tuple[int, int, str, int]:
    """The config as it is first, then its variants in their order; methods in the registry's."""
    variant, _, method, p, e = key
    return ["", *config["variants"]].index(variant), list(METHODS).index(method), p, e


def _row(key: Key, cells: Mapping[Key, pd.DataFrame], metric: str) -> dict[str, float | int]:
    """What is measured of a cell by a metric; what cannot be compared is left out."""

    def accuracies(variant: str, method: str, p: str, e: int) -> pd.Series:
        cell = cells.get((variant, dataset, method, p, e))
        return pd.Series(dtype=float) if cell is None else cell[metric].dropna()

    variant, dataset, method, p, e = key
    here, base = accuracies(variant, method, p, e), accuracies("", method, p, e)
    less_full, base_less_full = (
        runs - accuracies(name, "full", "1.0", 1) for name, runs in ((variant, here), ("", base))
    )
    return {
        "n": len(here),
        "natural_mean": cells[key].loc[here.index, "natural_accuracy"].mean(),
        **_interval("robust", here),
        "collapsed_share": collapsed_share(here),
        **_interval("change", here - base if variant else None),
        **_interval("less_full", less_full if method != "full" else None),
        **_interval(
            "less_full_change", less_full - base_less_full if variant and method != "full" else None
        ),
    }


def _interval(name: str, values: pd.Series | None) -> dict[str, float | int]:
    found = mean_interval(pd.Series(dtype=float) if values is None else values.dropna())
    return {
        f"{name}_n": found.n,
        f"{name}_mean": found.mean,
        f"{name}_half_width": found.half_width,
    }


def _shown(numbers: pd.DataFrame) -> pd.DataFrame:
    def column(name: str) -> list[str]:
        pairs = zip(numbers[f"{name}_mean"], numbers[f"{name}_half_width"], strict=True)
        return [plus_minus(*pair) for pair in pairs]

    return pd.DataFrame(
        {
            "Under": numbers["metric"].map(PAPERS_ATTACKS),
            "Variant": numbers["variant"].map(lambda name: name.replace("_", " ") or AS_IT_IS),
            "Pruning method": numbers["method"].map(lambda name: METHODS[name].label),
            "p": numbers["p"],
            "n": numbers["n"],
            "Natural accuracy (%)": numbers["natural_mean"].map("{:.2f}".format),
            "Robust accuracy (%)": column("robust"),
            "Collapsed (%)": (100 * numbers["collapsed_share"]).map("{:.0f}".format),
            "Change (points)": column("change"),
            "Less full (points)": column("less_full"),
            "Change of that (points)": column("less_full_change"),
        }
    )
