"""The specification of every run, from the config."""

import dataclasses

from advprune.by_epoch.spec import ByEpochSpec
from advprune.plan.config import Config, seeds_of, study_of, under_autoattack
from advprune.plan.grid import methods_at, starts_are_shared
from advprune.spec.methods import METHODS, PROXIES
from advprune.spec.runs import FULL_SHARE, Run, Start
from advprune.spec.specification import (
    DeepFoolSettings,
    EarlyStoppingSettings,
    EvaluationSpec,
    Numerics,
    PruningSettings,
    StartSpec,
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


def is_same_run(run: Run, one: Config, other: Config) -> bool:
    """Whether two configs train and evaluate a run alike: what differs has no effect on it."""
    return all(of(run, one) == of(run, other) for of in (training_spec, evaluation_spec))


def start_spec(start: Start, config: Config) -> StartSpec:
    """How the runs of a seed begin, and what is measured of the examples then.

    That is what figures 2 and 6 show, and what the study's methods prune by after that epoch.
    """
    study = study_of(start.dataset, config)
    training = training_spec(Run(start.dataset, "full", FULL_SHARE, 1, start.seed), config)
    wanted: set[tuple[str, str]] = set()
    if seeds_of(study["scores"]) and study["scores"]["epoch"] == start.epoch:
        wanted |= {(proxy, study["scores"][f"{proxy}_taken"]) for proxy in PROXIES}
    if starts_are_shared(config):
        proxies = {METHODS[method].proxy for method in methods_at(start, config)} - {None}
        wanted |= {(proxy, config["pruning"][f"{proxy}_taken"]) for proxy in proxies}
    else:  # no run goes on from it: early stopping has no effect up to then
        training = dataclasses.replace(training, early_stopping=None)
    distances = sorted(taken for proxy, taken in wanted if proxy == "deepfool")
    return StartSpec(
        training=training,
        epoch=start.epoch,
        losses=sorted(taken for proxy, taken in wanted if proxy == "loss"),
        distances=distances,
        deepfool=DeepFoolSettings(**config["deepfool"]) if distances else None,
    )


def evaluation_spec(run: Run, config: Config) -> EvaluationSpec:
    """The full specification of how a run is evaluated."""
    study = study_of(run.dataset, config)
    is_attacked = under_autoattack(run.seed, study["evaluation"])
    return EvaluationSpec(
        epsilon=fraction(study["training"]["epsilon"]),
        autoattack_examples=study["evaluation"]["autoattack_examples"] if is_attacked else 0,
        single_attack_examples=study["evaluation"]["single_attack_examples"],
        batch_size=study["evaluation"]["batch_size"],
        seed=study["evaluation"]["seed"],
        deterministic=config["execution"]["deterministic"],
    )


def by_epoch_spec(run: Run, config: Config) -> ByEpochSpec:
    """What a run's networks are attacked with after every epoch: what it is evaluated by, alone."""
    evaluation = evaluation_spec(run, config)
    return ByEpochSpec(
        evaluation=dataclasses.replace(evaluation, autoattack_examples=0),
        steps=config["early_stopping"]["steps"],
    )
