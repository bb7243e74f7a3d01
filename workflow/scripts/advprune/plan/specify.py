"""The specification of every run, from the config."""

import dataclasses

from advprune.plan.config import Config, study_of
from advprune.plan.grid import FULL_SHARE
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run
from advprune.spec.specification import (
    DeepFoolSettings,
    EarlyStoppingSettings,
    EvaluationSpec,
    Numerics,
    PruningSettings,
    ScoreSpec,
    TrainingSpec,
    fraction,
)


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
        for name in ("precision", "tf32", "channels_last", "compile", "deterministic")
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
    settings, known = config["pruning"], METHODS[method]
    # A high loss is near the boundary, a high distance by DeepFool far from it.
    highest = "near" if known.proxy == "loss" else "far"
    odd_one = None
    if known.both_ends:
        odd_one = highest if settings["odd_one"] == "highest_proxy" else "far"
    rounding = settings["rounding"]
    if rounding == "floating_point":
        # The released code rounds what it keeps where it drops the highest proxy.
        rounding = "of_kept" if known.drops == highest else "of_dropped"
    before = settings["when"] == "before_epoch"
    return PruningSettings(
        when=settings["when"],
        taken=settings[f"{known.proxy}_taken"] if known.proxy and not before else None,
        rounding=rounding,
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


def score_spec(dataset: str, seed: int, config: Config) -> ScoreSpec:
    """How the examples of a study are scored for figures 2 and 6.

    They are scored in the run on all data, which with paired seeds is every run of the seed until
    data are pruned. Early stopping has no effect up to then, and is left out.
    """
    scores = study_of(dataset, config)["scores"]
    training = training_spec(Run(dataset, "full", FULL_SHARE, 1, seed), config)
    return ScoreSpec(
        training=dataclasses.replace(training, early_stopping=None),
        epoch=scores["epoch"],
        deepfool=DeepFoolSettings(**config["deepfool"]),
        loss_taken=scores["loss_taken"],
        deepfool_taken=scores["deepfool_taken"],
    )


def evaluation_spec(run: Run, config: Config) -> EvaluationSpec:
    """The full specification of how a run is evaluated."""
    study = study_of(run.dataset, config)
    return EvaluationSpec(
        epsilon=fraction(study["training"]["epsilon"]),
        autoattack_examples=study["evaluation"]["autoattack_examples"],
        single_attack_examples=study["evaluation"]["single_attack_examples"],
        batch_size=study["evaluation"]["batch_size"],
        seed=study["evaluation"]["seed"],
        deterministic=config["execution"]["deterministic"],
    )
