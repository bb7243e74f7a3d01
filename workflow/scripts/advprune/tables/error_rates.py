"""How often the rules that judge claims err, in simulated worlds whose truth is known."""

import pandas as pd

from advprune.claims.error_rates import error_rates as simulate
from advprune.plan.config import Config
from advprune.tables.table import Table


def error_rates(config: Config) -> Table:
    """A row for each rule, world and number of runs; in what is shown a row a rule and world."""
    repetitions = config["claims"]["repetitions"]
    numbers = simulate(repetitions=repetitions)
    missed = int((~numbers["bar_met"]).sum())
    notes = [
        f"{repetitions:,} simulated experiments each; REPRODUCED / DIFFERS in percent, the rest is "
        "UNDERPOWERED. Made from no runs of ours",
        "A rule errs where it says REPRODUCED of what is false, or DIFFERS of what is true: in at "
        f"most 5%. Rows that miss this by an exact test at 0.1%: {missed}",
        "Robust accuracies are mixtures of collapsed and working runs with the means and "
        "deviations of Table 1; what is exactly on a margin or bound counts as false",
    ]
    return Table("How often the verdicts err", numbers, _shown(numbers), notes)


def _shown(numbers: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (rule, world), group in numbers.groupby(["rule", "world"], sort=False):
        row = {"Rule": rule, "World": world, "The claim is": group["claim_is"].iloc[0]}
        for n, found in zip(group["n"], group.to_dict("records"), strict=True):
            said = f"{found['reproduced_percent']:.1f} / {found['differs_percent']:.1f}"
            row[f"n = {n}"] = said
        rows.append(row | {"Bar met": "yes" if group["bar_met"].all() else "no"})
    return pd.DataFrame(rows)
