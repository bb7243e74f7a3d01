"""Figure 6, supplement: the correlations of loss and distance, of every network."""

import dataclasses
from collections.abc import Mapping, Sequence

import pandas as pd

from advprune.analysis.correlation import FEW_STEPS, LARGEST_SHOWN, correlate
from advprune.analysis.notes import INTERVALS, face_note
from advprune.analysis.scores import Scores
from advprune.analysis.statistics import mean_interval
from advprune.plan.config import Config, seeds_of
from advprune.plan.exhibits import TABLE1_SHARE
from advprune.spec.datasets import DATASETS
from advprune.tables.table import Table, plus_minus


def correlations(scores: Mapping[str, Sequence[Scores]], config: Config) -> Table:
    """A row a network, and in what is shown a row a study: means over networks."""
    rows = []
    for study, of_study in scores.items():
        seeds = seeds_of(config["studies"][study]["scores"])
        for seed, found in zip(seeds, of_study, strict=True):
            numbers = dataclasses.asdict(correlate(found.frame(study)))
            moved = (found.converged == 1) & (found.iterations <= FEW_STEPS)
            few = {"moved_in_few_steps_percent": 100 * moved.mean()}
            rows.append({"study": study, "seed": seed, **numbers, **few})
    numbers = pd.DataFrame(rows)
    shown = pd.DataFrame(_shown(study, group, config) for study, group in numbers.groupby("study"))
    notes = [
        f"{INTERVALS.replace('runs', 'networks, one a seed')}",
        "loss at x + δ, and 1/d of DeepFool's l2 distance, of every training example after epoch "
        + "; ".join(_taken(study, config) for study in scores),
        f"Pearson's r over all examples is decided by the few whose 1/d is largest; the released "
        f"code's plots end at 1/d = {LARGEST_SHOWN:g}, and the claims are judged by r within that",
        f"both drop: of the {1 - TABLE1_SHARE:.0%} of the examples with the largest loss, how many "
        "are among as many with the largest 1/d; by chance as many percent",
        *face_note(config, scores, attacked=False).split("\n"),
    ]
    return Table("Correlation of loss and distance", numbers, shown, notes)


def _shown(study: str, group: pd.DataFrame, config: Config) -> dict[str, object]:
    def mean(column: str, factor: float = 1) -> str:
        found = mean_interval(factor * group[column])
        return plus_minus(found.mean, found.half_width)

    return {
        "Data set": DATASETS[config["studies"][study]["dataset"]].title,
        "n": len(group),
        "Pearson's r": mean("r"),
        f"r within 1/d ≤ {LARGEST_SHOWN:g}": mean("r_within"),
        "Spearman's ρ": mean("spearman"),
        f"Both drop at p = {TABLE1_SHARE:g} (%)": mean("dropped_in_common_percent"),
        "Not moved by DeepFool": f"{group['unconverged'].mean():,.0f}",
        f"Moved within {FEW_STEPS} steps (%)": mean("moved_in_few_steps_percent"),
    }


def _taken(study: str, config: Config) -> str:
    scores = config["studies"][study]["scores"]
    when = {"in_pass": "in that epoch's pass", "after_pass": "after it"}
    return (
        f"{scores['epoch']} ({DATASETS[config['studies'][study]['dataset']].title}: loss "
        f"{when[scores['loss_taken']]}, distance {when[scores['deepfool_taken']]})"
    )
