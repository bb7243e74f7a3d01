"""What a config costs, stage by stage, on a device whose costs are known: arithmetic alone.

``config/costs.yaml`` has seconds of each kind of work, measured on named devices. A batch costs
something by itself, nearly all of it on a GPU, and each of its images something more.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from advprune.paths import CONFIG as CONFIGS
from advprune.plan.blocks import block_of_start, run_blocks, start_of, starts_of
from advprune.plan.config import Config
from advprune.plan.exhibits import EXHIBITS, runs_of
from advprune.plan.specify import by_epoch_spec, evaluation_spec, start_spec, training_spec
from advprune.plan.yaml_files import read_yaml
from advprune.spec.datasets import DATASETS
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run, Start
from advprune.spec.specification import (
    AFTER_PASS,
    DeepFoolSettings,
    EvaluationSpec,
    StartSpec,
    TrainingSpec,
)
from advprune.training.pruning import count_to_keep
from advprune.training.scoring import GPU_SCORING_BATCH, SCORING_BATCH

COSTS = CONFIGS / "costs.yaml"
STAGES = ("training", "distances", "early stopping", "AutoAttack", "other attacks", "starting jobs")
Seconds = dict[str, float]  # by stage, a name in STAGES


@dataclass(frozen=True)
class Cost:
    """Of a kind of work: seconds of a batch, and of each image in it."""

    batch: float
    image: float

    def of(self, images: float, size: int) -> float:
        """Seconds of so many images in batches of ``size``, the last one smaller."""
        return math.ceil(images / size) * self.batch + images * self.image


@dataclass(frozen=True)
class NetworkCosts:
    """Of one network on a device.

    Attributes:
        update, standard_update: of training, with the attack and without.
        stacked_update: the same as ``update`` where K networks are trained as one stack, whose
            batches have K times the images; None where a network is trained by itself.
        first_step, further_step: of DeepFool, which first finds the nearest class and then, if it
            is fixed, keeps to it.
        forward, gradient: calls of the network, without and with the gradient of the images.
        apgd_ce_40x5: on images that withstand it.
        autoattack_first: AutoAttack's first attack, on images that are classified rightly.
        autoattack_rest: its others, on images that withstand them.
        extrapolated: which of these were not measured.
        scored: how many examples the device scores at once.
    """

    update: Cost
    standard_update: Cost
    first_step: Cost
    further_step: Cost
    forward: Cost
    gradient: Cost
    apgd_ce_40x5: Cost
    autoattack_first: Cost
    autoattack_rest: Cost
    stacked_update: Cost | None = None
    extrapolated: tuple[str, ...] = ()
    scored: int = SCORING_BATCH

    @classmethod
    def from_dict(cls, content: dict[str, Any], *, scored: int = SCORING_BATCH) -> Self:
        """From the file's ``kind: [a batch, an image]``, in milliseconds."""
        extrapolated = tuple(content.pop("extrapolated", ()))
        costs = {kind: Cost(batch / 1000, image / 1000) for kind, (batch, image) in content.items()}
        return cls(**costs, extrapolated=extrapolated, scored=scored)


@dataclass(frozen=True)
class DeviceCosts:
    """Of one device.

    Attributes:
        title: what it is.
        job: seconds until a job has started and loaded its libraries.
        exhibit: seconds of a table or figure.
        networks: by `network_key`.
    """

    title: str
    job: float
    exhibit: float
    networks: dict[str, NetworkCosts]

    def nearest(self, update_seconds: float, size: int) -> NetworkCosts:
        """The network whose update on so many images takes the time that is closest by ratio."""
        return min(
            self.networks.values(),
            key=lambda costs: abs(math.log(costs.update.of(size, size) / update_seconds)),
        )


@dataclass(frozen=True)
class Assumed:
    """What training decides, and nobody knows before.

    Attributes:
        robust: the share of attacked images that withstand all attacks, if a network was trained
            by an attack, and else none does.
        steps: that an image takes in DeepFool, in the mean.
        longest: that the last image of a batch takes.
    """

    robust: float
    steps: float
    longest: float


def network_key(network: str, width: float) -> str:
    """How a network is named in the file."""
    return f"{network} {width:g}"


def read_costs(path: Path = COSTS) -> tuple[dict[str, DeviceCosts], Assumed]:
    """The devices of the file by their keys, and what it assumes of every run."""
    content = read_yaml(path, "the file of costs")
    devices = {
        key: DeviceCosts(
            title=device["title"],
            job=device["job"],
            exhibit=device["exhibit"],
            networks={
                name: NetworkCosts.from_dict(
                    costs, scored=SCORING_BATCH if key == "cpu" else GPU_SCORING_BATCH
                )
                for name, costs in device["networks"].items()
            },
        )
        for key, device in content["devices"].items()
    }
    return devices, Assumed(**content["assumed"])


def training_seconds(
    spec: TrainingSpec, costs: NetworkCosts, assumed: Assumed, *, begun: int = 0, stacked: int = 1
) -> Seconds:
    """Of one run's updates before and after pruning, its distances, and its early stopping.

    Args:
        spec: of the run.
        costs: of its network.
        assumed: of every run.
        begun: epochs that its start has done, with the scores at their end; 0 without a start.
        stacked: how many networks are trained as one stack, if the network's costs know stacks.
    """
    total = examples_of(spec)
    kept, before = total, spec.epochs
    if spec.pruning:
        kept = count_to_keep(total, spec.run.p, spec.pruning.rounding)
        before = spec.run.e - (spec.pruning.when == "before_epoch")

    def one_pass(images: int) -> float:
        if not METHODS[spec.run.method].adversarial:
            return costs.standard_update.of(images, spec.batch_size)
        if costs.stacked_update and stacked > 1:
            together = costs.stacked_update.of(stacked * images, stacked * spec.batch_size)
            return together / stacked
        return costs.update.of(images, spec.batch_size)

    seconds = Counter(training=(before - begun) * one_pass(total))
    seconds["training"] += (spec.epochs - before) * one_pass(kept)
    if spec.deepfool and not begun:
        seconds["distances"] += distance_seconds(spec, spec.deepfool, costs, assumed)
    seconds["early stopping"] += validation_seconds(spec, spec.epochs - begun, costs)
    return seconds


def start_seconds(
    spec: StartSpec, costs: NetworkCosts, assumed: Assumed, *, stacked: int = 1
) -> Seconds:
    """Of a start's updates and its scores."""
    training = spec.training
    up_to = training_seconds(training, costs, assumed, stacked=stacked)
    passes = spec.epoch + (AFTER_PASS in spec.losses)  # another pass costs a little less
    seconds = Counter(training=up_to["training"] * passes / training.epochs)
    if spec.deepfool:
        once = distance_seconds(training, spec.deepfool, costs, assumed)
        seconds["distances"] += len(spec.distances) * once
    seconds["early stopping"] += validation_seconds(training, spec.epoch, costs)
    return seconds


def examples_of(spec: TrainingSpec) -> int:
    """How many examples it trains on before data are pruned."""
    return spec.train_examples or DATASETS[spec.run.dataset].examples[0]


def distance_seconds(
    spec: TrainingSpec, settings: DeepFoolSettings, costs: NetworkCosts, assumed: Assumed
) -> float:
    """Every example's distance, once; a batch goes on until its last image is done."""
    first, further = costs.first_step, costs.further_step
    if not settings.fixed_target:
        further = first
    steps, longest = (min(n, settings.max_iterations) for n in (assumed.steps, assumed.longest))
    batch = first.batch + (longest - 1) * further.batch
    return Cost(batch, first.image + (steps - 1) * further.image).of(
        examples_of(spec), costs.scored
    )


def validation_seconds(spec: TrainingSpec, epochs: int, costs: NetworkCosts) -> float:
    """What early stopping takes of so many epochs."""
    if not spec.early_stopping:
        return 0.0
    attacked = spec.early_stopping.examples or DATASETS[spec.run.dataset].examples[1]
    return epochs * spec.early_stopping.steps * costs.gradient.of(attacked, SCORING_BATCH)


def evaluation_seconds(
    dataset: str, spec: EvaluationSpec, costs: NetworkCosts, assumed: Assumed
) -> Seconds:
    """Of natural accuracy, standard AutoAttack and the attacks run alone, for one network."""
    test, size = DATASETS[dataset].examples[1], spec.batch_size
    by_autoattack = test if spec.autoattack_examples is None else spec.autoattack_examples
    alone = spec.single_attack_examples or test
    seconds = Counter(AutoAttack=costs.autoattack_first.of(by_autoattack, size))
    seconds["AutoAttack"] += costs.autoattack_rest.of(assumed.robust * by_autoattack, size)
    seconds["other attacks"] += costs.forward.of(test, SCORING_BATCH)
    # What the first of the restarts breaks, the others never see.
    restarts = spec.attacks["apgd_ce_40x5"]["restarts"]
    images = alone * (assumed.robust + (1 - assumed.robust) / restarts)
    seconds["other attacks"] += costs.apgd_ce_40x5.of(images, size)
    return seconds


def by_epoch_seconds(run: Run, config: Config, costs: NetworkCosts, assumed: Assumed) -> Seconds:
    """Of a run trained once more, by itself, and attacked after every epoch."""
    spec, attacked_by = training_spec(run, config), by_epoch_spec(run, config)
    seconds = Counter(training_seconds(spec, costs, assumed))
    once = evaluation_seconds(run.dataset, attacked_by.evaluation, costs, assumed)
    images = attacked_by.evaluation.single_attack_examples or DATASETS[run.dataset].examples[1]
    weak = attacked_by.steps * costs.gradient.of(images, SCORING_BATCH)
    seconds["other attacks"] += spec.epochs * (once["other attacks"] + weak)
    return seconds


def stage_seconds(
    dataset: str,
    config: Config,
    device: DeviceCosts,
    assumed: Assumed,
    costs: NetworkCosts | None = None,
    *,
    runs: Iterable[Run] | None = None,
) -> Seconds:
    """All that a config asks for on one data set.

    Args:
        dataset: its name.
        config: what is asked for.
        device: where.
        assumed: of every run.
        costs: of the data set's network, if not those that the device has under its name.
        runs: those that are made, if not all that are asked for.

    Raises:
        KeyError: the device has none.
    """
    asked_for = runs_of("all", config) if runs is None else runs
    wanted = {run for run in asked_for if run.dataset == dataset}
    by_epoch = wanted & {*runs_of("by_epoch", config)}
    starts: dict[str, list[Start]] = {}
    for start in starts_of(wanted, config):
        if start.dataset == dataset:
            starts.setdefault(block_of_start(start, config), []).append(start)

    def of(spec: TrainingSpec) -> NetworkCosts:
        return costs or device.networks[network_key(spec.network, spec.width)]

    total = Counter(dict.fromkeys(STAGES, 0.0))
    for block in starts.values():
        spec = start_spec(block[0], config)
        each = start_seconds(spec, of(spec.training), assumed, stacked=len(block))
        for _ in block:
            total.update(each)
        total["starting jobs"] += device.job
    for block in run_blocks(config).values():
        made = [run for run in block if run in wanted]
        cells = Counter((run.method, run.p, run.e) for run in made)
        for run in made:
            spec = training_spec(run, config)
            begun = run.e if start_of(run, config) else 0
            stacked = cells[run.method, run.p, run.e]
            known, evaluated = of(spec), evaluation_spec(run, config)
            left = assumed if METHODS[run.method].adversarial else replace(assumed, robust=0.0)
            total.update(training_seconds(spec, known, assumed, begun=begun, stacked=stacked))
            total.update(evaluation_seconds(dataset, evaluated, known, left))
        total["starting jobs"] += 2 * device.job * bool(made)  # it is trained, and evaluated
        total["starting jobs"] += device.job * any(run in by_epoch for run in made)
    for run in by_epoch:
        total.update(by_epoch_seconds(run, config, of(training_spec(run, config)), assumed))
    return dict(total)


def exhibit_seconds(device: DeviceCosts) -> float:
    """Of all tables and figures, whatever they are made from."""
    return len(EXHIBITS) * device.exhibit
