"""The runs of an experiment: every combination of its methods, p, e and seeds."""

from advprune.plan.config import Config, seeds_of, study_of
from advprune.spec.methods import METHODS
from advprune.spec.runs import FULL_SHARE, Run, Start, share_text


def experiment_runs(config: Config, study: str, experiment: str) -> list[Run]:
    """The runs of one experiment of a study; none if the study does not have it."""
    settings = config["studies"][study]["experiments"].get(experiment)
    if settings is None:
        return []
    cells = set()
    for p in map(share_text, settings["p"]):
        for method in settings["methods"]:
            if not METHODS[method].select:
                cells.add((method, FULL_SHARE, 1))
            elif p == FULL_SHARE:  # all data are kept: every method is the same run
                cells.add(("full", FULL_SHARE, 1))
            else:
                cells |= {(method, p, e) for e in settings["e"]}
    dataset = config["studies"][study]["dataset"]
    return sorted(Run(dataset, *cell, seed) for cell in cells for seed in seeds_of(settings))


def starts_are_shared(config: Config) -> bool:
    """Whether the adversarial runs of a seed are the same run until data are pruned."""
    return config["paired_seeds"] and config["pruning"]["when"] == "after_epoch"


def methods_at(start: Start, config: Config) -> set[str]:
    """The methods that prune at a start's epoch, in any experiment on its data set."""
    experiments = study_of(start.dataset, config)["experiments"].values()
    return {
        method
        for experiment in experiments
        for method in experiment["methods"]
        if seeds_of(experiment) and METHODS[method].select and start.epoch in experiment["e"]
    }
