"""Which runs each table and figure needs, and the specification of every run.

The runs of all items together are the grid; an item's runs are a part of it, so nothing that two
items need is trained twice.
"""

import dataclasses
from collections.abc import Callable

from advprune.config import Config, fraction, seeds_of, share_text
from advprune.pruning import METHODS, drops_both_ends
from advprune.runs import (
    DeepFoolSettings,
    EarlyStoppingSettings,
    EvaluationSpec,
    Numerics,
    PruningSettings,
    Run,
    TrainingSpec,
)

FULL_SHARE = "1.0"


def _experiment(config: Config, study: str, experiment: str) -> list[Run]:
    """The runs of one experiment of a study; none if the study does not have it."""
    settings = config["studies"][study]["experiments"].get(experiment)
    if settings is None:
        return []
    runs = set()
    for p in map(share_text, settings["p"]):
        for seed in seeds_of(settings):
            for method in settings["methods"]:
                if not METHODS[method].select:
                    cells = [(method, FULL_SHARE, 1)]
                elif p == FULL_SHARE:  # all data are kept: every method is the same run
                    cells = [("full", FULL_SHARE, 1)]
                else:
                    cells = [(method, p, e) for e in settings["e"]]
                dataset = config["studies"][study]["dataset"]
                runs |= {Run(dataset, *cell, seed) for cell in cells}
    return sorted(runs)


def _by_proxy(runs: list[Run], proxy: str) -> list[Run]:
    low_distance = [f"low-{proxy}", "full"]
    return [run for run in runs if run.method in low_distance]


ITEMS: dict[str, Callable[[Config], list[Run]]] = {
    "figure3": lambda config: _experiment(config, "mnist", "accuracy"),
    "figure4": lambda config: _experiment(config, "cifar10", "accuracy"),
    "figure5": lambda config: [
        run
        for study in config["studies"]
        for run in _by_proxy(_experiment(config, study, "accuracy"), "loss")
    ],
    "table1": lambda config: _experiment(config, "mnist", "table1"),
    "figure8": lambda config: _experiment(config, "mnist", "table1"),
    "comparisons": lambda config: _experiment(config, "mnist", "table1"),
    "distribution": lambda config: _experiment(config, "mnist", "table1"),
    "collapse": lambda config: [
        run for study in config["studies"] for run in _experiment(config, study, "accuracy")
    ],
    "pruning_epoch": lambda config: [
        run for study in config["studies"] for run in _experiment(config, study, "pruning_epoch")
    ],
    "standard_accuracy": lambda config: [
        run for study in config["studies"] for run in _experiment(config, study, "standard")
    ],
}


def runs_of(item: str, config: Config) -> list[Run]:
    """The runs that a table or figure is made from, sorted; ``"all"`` for those of every item."""
    if item == "all":
        return sorted({run for needed in ITEMS.values() for run in needed(config)})
    return ITEMS[item](config)


def study_of(dataset: str, config: Config) -> Config:
    """The study that uses a data set."""
    return next(study for study in config["studies"].values() if study["dataset"] == dataset)


def training_spec(run: Run, config: Config) -> TrainingSpec:
    """The full specification of how a run is trained.

    Settings that have no effect on the run are left out of it, so that changing them does not
    make the run another one.
    """
    study = study_of(run.dataset, config)
    training = study["training"]
    method = METHODS[run.method]
    deepfool = DeepFoolSettings(**config["deepfool"])
    numerics = {
        name: config["execution"][name]
        for name in ("precision", "channels_last", "compile", "deterministic")
    }
    return TrainingSpec(
        run=run,
        train_examples=study["train_examples"],
        network=training["network"],
        width=float(training["width"]),
        normalise=training["normalise"],
        augment=training["augment"],
        epochs=training["epochs"],
        batch_size=training["batch_size"],
        optimiser=training["optimiser"],
        momentum=float(training["momentum"]),
        weight_decay=float(training["weight_decay"]),
        max_learning_rate=float(training["max_learning_rate"]),
        peak=float(training["peak"]),
        epsilon=fraction(training["epsilon"]) if method.adversarial else None,
        step_size=fraction(training["step_size"]) if method.adversarial else None,
        paired_seeds=config["paired_seeds"],
        pruning=pruning_settings(run.method, config) if method.select else None,
        deepfool=deepfool if method.proxy == "deepfool" else None,
        early_stopping=_early_stopping(study, config) if method.adversarial else None,
        numerics=Numerics(**numerics),
    )


def pruning_settings(method: str, config: Config) -> PruningSettings:
    """How a method prunes, less what makes no difference to it."""
    settings = config["pruning"]
    odd_one = None
    if drops_both_ends(method):
        # A high loss is near the boundary, a high distance by DeepFool far from it.
        highest = "near" if METHODS[method].proxy == "loss" else "far"
        odd_one = highest if settings["odd_one"] == "highest_proxy" else "far"
    return PruningSettings(
        when=settings["when"],
        rounding=settings["rounding"],
        odd_one=odd_one,
        class_balanced=settings["class_balanced"],
    )


def _early_stopping(study: Config, config: Config) -> EarlyStoppingSettings | None:
    settings = config["early_stopping"]
    if not settings["enabled"]:
        return None
    return EarlyStoppingSettings(
        examples=study["training"]["validation_examples"],
        steps=settings["steps"],
        patience=settings["patience"],
    )


def score_spec(dataset: str, epoch: int, seed: int, config: Config) -> TrainingSpec:
    """The specification of the run whose examples are scored after an epoch (figures 2 and 6).

    It is a run with DeepFool pruning: with paired seeds its first epochs are those of every run of
    the same seed, and it carries the settings of DeepFool. It is scored before anything is pruned,
    and by all epochs up to then, so that neither pruning nor early stopping has an effect on it.
    """
    spec = training_spec(Run(dataset, "low-deepfool", "0.5", epoch, seed), config)
    return dataclasses.replace(spec, pruning=None, early_stopping=None)


def evaluation_spec(run: Run, config: Config) -> EvaluationSpec:
    """The full specification of how a run is evaluated."""
    study = study_of(run.dataset, config)
    return EvaluationSpec(
        epsilon=fraction(study["training"]["epsilon"]),
        test_examples=study["evaluation"]["test_examples"],
        batch_size=study["evaluation"]["batch_size"],
        seed=study["evaluation"]["seed"],
        deterministic=config["execution"]["deterministic"],
    )
