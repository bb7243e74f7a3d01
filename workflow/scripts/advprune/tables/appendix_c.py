"""The table of appendix C: what the toy model does, beside what the paper says of it."""

import pandas as pd

from advprune.analysis.notes import scale_note
from advprune.plan.config import Config
from advprune.tables.table import Table
from advprune.toy.features import ToyModel, simulation_frame


def appendix_c(config: Config) -> Table:
    """Simulate the toy model of the config and put the formulas beside it."""
    settings = config["appendix_c"]
    model = ToyModel(
        fragile_features=settings["fragile_features"],
        robust_share=settings["robust_share"],
        p_robust=settings["p_robust"],
        p_fragile=settings["p_fragile"],
    )
    numbers = simulation_frame(model, count=settings["points"], seeds=settings["seeds"])
    shown = pd.DataFrame(
        {
            "Quantity": numbers["label"],
            "Simulated (%)": [
                _shown(mean) if pd.isna(half_width) else f"{_shown(mean)} ± {_shown(half_width)}"
                for mean, half_width in zip(
                    numbers["simulated_mean"], numbers["simulated_half_width"], strict=True
                )
            ],
            "Paper's formula (%)": [
                f"{relation} {_shown(value)}".lstrip()
                for relation, value in zip(
                    numbers["paper_relation"], numbers["paper_value"], strict=True
                )
            ],
            "Corrected formula (%)": numbers["corrected_value"].map(_shown),
        }
    )
    title = "Appendix C: the toy model of robust and fragile features"
    return Table(title, numbers, shown, notes_on(model, config))


def _shown(percent: float) -> str:
    """Three decimals: the fragile classifier is right about one attacked point in a thousand."""
    return "–" if pd.isna(percent) else f"{percent:.3f}"


def notes_on(model: ToyModel, config: Config) -> list[str]:
    """What a reader must know of the simulation, the formulas and the bounds."""
    settings = config["appendix_c"]
    swap = (
        "Robust classifier: the paper prints p_R p_fragile + (1 - p_R) p_robust; from its "
        "equations follows p_R p_robust + (1 - p_R) p_fragile"
    )
    if model.robust_share == 0.5:
        swap += "; at p_R = 0.5 the two are equal"
    notes = [
        f"A simulation of equations 2 and 3: {settings['seeds']} seeds of {settings['points']:,} "
        "points; no image data, no training",
        f"d = {model.fragile_features} fragile features, each of mean 3 / sqrt(d) = "
        f"{model.eta:.2f} times the label; ε, twice that, is {model.epsilon:.2f}; p_R = "
        f"{model.robust_share}, p_robust = {model.p_robust}, p_fragile = {model.p_fragile}",
        "± is half the width of the t-based 95% interval of the mean over seeds",
        swap,
        "above, below and ≤ mark bounds; where the paper gives no formula they are what it says in "
        "words; the bound of equation 5 is reached, since ε is the least it is stated for",
        "A point has a high loss if its robust feature is not its label, else a low one; dropping "
        "takes all such points",
        scale_note(config),
    ]
    if model.epsilon >= 1:
        notes.insert(
            4,
            "ε is 1 or more (d is 36 or less): the adversary undoes the robust feature too, and "
            "neither formula holds for the accuracy under attack",
        )
    return notes
