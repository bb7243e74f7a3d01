"""Tables of runs made by hand, with every column that the analysis makes of real ones."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from advprune.spec.methods import METHODS
from advprune.spec.runs import Run

# Of a run of which a test says nothing else.
USUAL = {
    **{"natural_accuracy": 98.0, "autoattack_accuracy": 50.0, "apgd_ce_40x5_accuracy": 60.0},
    **{"training_seconds": 40.0, "scoring_seconds": 4.0, "validation_seconds": 0.0},
    **{"train_examples": 4000, "kept_examples": 2400},
    **{"diverged_epoch": np.nan, "stopped_epoch": np.nan, "evaluation_seconds": 80.0},
    **{"source": "0123456789ab", "torch": "2.0", "device": "cpu: x86_64", "threads": 1},
    **{"evaluation_source": "0123456789ab", "evaluation_torch": "2.0"},
    "evaluation_device": "cpu: x86_64",
    **dict.fromkeys(("dataset_sha256", "training_spec", "evaluation_spec"), "abcdef012345"),
}


def table_of_runs(runs: Sequence[Run], **columns: object) -> pd.DataFrame:
    """A row for each run; columns that are not given have the usual value."""
    names = {
        name: [getattr(run, name) for run in runs]
        for name in ("dataset", "method", "p", "e", "seed")
    }
    return pd.DataFrame(names | USUAL | columns, index=range(len(runs)))


def runs_of_cell(
    method: str,
    p: str | None = None,
    *,
    dataset: str = "mnist",
    e: int = 1,
    first_seed: int = 0,
    **columns: Sequence[float],
) -> pd.DataFrame:
    """A row, and a seed, for each value of the columns given.

    Where p is not given, it is 0.6 for methods that prune, as in Table 1.
    """
    p = p or ("0.6" if METHODS[method].select else "1.0")
    seeds = range(first_seed, first_seed + len(next(iter(columns.values()))))
    return table_of_runs([Run(dataset, method, p, e, seed) for seed in seeds], **columns)


def joined(*cells: pd.DataFrame) -> pd.DataFrame:
    """One table of several cells."""
    return pd.concat(cells, ignore_index=True)
