"""The hypotheses of appendix B, and the runs that test them."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from advprune.analysis.metrics import PAPERS_ATTACKS
from advprune.plan.config import Config

# Number, the method hypothesised to be the more robust, and the one it is compared with.
FIGURE8_TESTS = (
    (1, "low-deepfool", "full"),
    (1, "low-loss", "full"),
    (2, "low-loss", "random"),
)


def hypotheses(
    runs: pd.DataFrame, config: Config
) -> Iterator[tuple[dict[str, Any], pd.Series, pd.Series]]:
    """Every test of appendix B at every p and e, under both attacks, the config's choice first.

    Yields:
        what is tested, the accuracies of the runs hypothesised to be the more robust, the others':
        in percent, with the runs' seeds as index.
    """
    chosen = f"{config['robust_accuracy']}_accuracy"
    metrics = sorted(PAPERS_ATTACKS, key=lambda metric: metric != chosen)  # the chosen one first
    cells = runs[runs["method"] != "full"][["p", "e"]].drop_duplicates().sort_values(["p", "e"])
    for number, better, worse in FIGURE8_TESTS:
        for p, e in cells.itertuples(index=False):
            at_cell = (runs["method"] == "full") | ((runs["p"] == p) & (runs["e"] == e))
            for metric in metrics:
                first, second = (
                    runs[at_cell & (runs["method"] == method)].set_index("seed")[metric].dropna()
                    for method in (better, worse)
                )
                tested = {"test": number, "method": better, "against": worse, "p": p, "e": e}
                yield tested | {"metric": metric}, first, second
