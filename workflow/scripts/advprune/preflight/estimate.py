"""How long a config will take on this machine.

Where runs of the scale have been made, their records tell; for studies without any, a few batches
are timed and the rest is arithmetic over what the algorithms are known to do.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch
from torch.nn import functional

from advprune.data.examples import Examples
from advprune.paths import RESULT_FILES
from advprune.plan.blocks import run_blocks, start_blocks, start_of
from advprune.plan.config import Config
from advprune.plan.specify import evaluation_spec, start_spec, training_spec
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
from advprune.storage.files import has_files
from advprune.storage.records import read_record
from advprune.training.attacks import Threat, rs_fgsm
from advprune.training.pruning import count_to_keep
from advprune.training.state import build_optimiser, start

# What an image that nothing breaks costs the standard AutoAttack, counted in its batches.
AUTOATTACK_FORWARDS = 7_865
AUTOATTACK_GRADIENTS = 1_910
APGD_40X5_GRADIENTS = 200
# Assumed, since it is what training decides: half of the attacked images withstand all attacks, and
# DeepFool needs five steps.
ROBUST_SHARE = 0.5
DEEPFOOL_STEPS = 5
# On a CPU time grows with the batch, so a part of one is timed; a GPU is given the whole.
CPU_BATCH = 16


@dataclass(frozen=True)
class BatchSeconds:
    """Seconds that one batch takes on a device.

    Attributes:
        start: a program until it has loaded its libraries.
        adversarial, standard: one update in training, with the attack and without.
        class_gradient: the gradient of one logit for a training batch, DeepFool's unit.
        forward, gradient: one call of the network on a batch of attacked images, without and with
            the gradient of the input.
        natural: one call of the network on a training batch, without a gradient.
    """

    start: float
    adversarial: float
    standard: float
    class_gradient: float
    forward: float
    gradient: float
    natural: float


@dataclass(frozen=True)
class Work:
    """All that a config asks for on one data set.

    Attributes:
        runs: the runs.
        starts: the starts that they go on from, or whose scores are shown.
        jobs: how many jobs make them.
    """

    runs: list[Run]
    starts: list[Start]
    jobs: int


def work_by_dataset(config: Config) -> dict[str, Work]:
    """What a config asks for, of the data sets that it has runs on."""
    runs, starts = list(run_blocks(config).values()), list(start_blocks(config).values())
    found = {}
    for dataset in (study["dataset"] for study in config["studies"].values()):
        own_runs, own_starts = (
            [block for block in blocks if block[0].dataset == dataset] for blocks in (runs, starts)
        )
        if not own_runs:
            continue
        jobs = 2 * len(own_runs) + len(own_starts)  # a block of runs is trained, and evaluated
        found[dataset] = Work([*chain(*own_runs)], [*chain(*own_starts)], jobs)
    return found


def from_records(work: Work, config: Config, scale: Path) -> float | None:
    """Seconds of all the work, by the records of what has been made; None if there is not enough.

    Without what the jobs take to start, which no record says.

    Args:
        work: what is asked for.
        config: by which it is.
        scale: the folder of the scale's results.
    """
    runs = [_recorded_seconds(run, config, scale) for run in work.runs]
    starts = [_recorded_start(scale / "starts" / start.folder) for start in work.starts]
    means = []
    for found, count in ((runs, len(work.runs)), (starts, len(work.starts))):
        known = [seconds for seconds in found if seconds is not None]
        if count and not known:
            return None
        means.append(count * sum(known) / len(known) if known else 0.0)
    return sum(means)


def _recorded_seconds(run: Run, config: Config, scale: Path) -> float | None:
    """Of a run's training, after its start, and evaluation."""
    folder = scale / "runs" / run.folder
    if not has_files(folder, RESULT_FILES):
        return None
    trained, evaluated = (read_record(folder / f"{name}.json") for name in ("run", "evaluation"))
    seconds = sum(trained["seconds"].values()) + sum(evaluated["seconds"].values())
    start = start_of(run, config)
    begun = scale / "starts" / start.folder / "start.json" if start else None
    if begun and begun.exists():
        record = read_record(begun)
        seconds -= sum(record["seconds"].values())
        if METHODS[run.method].proxy:
            taken = trained["spec"]["pruning"]["taken"]
            seconds -= record["scoring_seconds"].get(f"{METHODS[run.method].proxy} {taken}", 0.0)
    return seconds


def _recorded_start(folder: Path) -> float | None:
    if not (folder / "start.json").exists():
        return None
    record = read_record(folder / "start.json")
    return sum(record["seconds"].values()) + sum(record["scoring_seconds"].values())


def measure(run: Run, config: Config, device: torch.device) -> BatchSeconds:
    """Time single batches of a run's study on random images, a few seconds in all."""
    spec = training_spec(run, config)
    evaluated = evaluation_spec(run, config)
    dataset = DATASETS[run.dataset]
    robust = round(ROBUST_SHARE * (evaluated.single_attack_examples or dataset.examples[1]))
    attacked = max(1, min(evaluated.batch_size, robust))

    def images(count: int) -> torch.Tensor:
        return torch.rand(timed_images(count, device), *dataset.shape, device=device)

    few = Examples(torch.zeros(2, *dataset.shape, dtype=torch.uint8, device=device), torch.zeros(2))
    classifier = start(spec, few).classifier
    optimiser = build_optimiser(spec, classifier.parameters())
    batch, small = images(spec.batch_size), images(attacked)
    labels = torch.zeros(len(batch), dtype=torch.int64, device=device)
    threat = Threat(evaluated.epsilon, evaluated.epsilon)
    generator = torch.Generator(device)

    def update(adversarial: bool) -> None:
        inputs = batch
        if adversarial:
            inputs = rs_fgsm(classifier, batch, labels, threat=threat, generator=generator)
        optimiser.zero_grad()
        functional.cross_entropy(classifier(inputs), labels).backward()

    def input_gradient(inputs: torch.Tensor) -> None:
        inputs = inputs.clone().requires_grad_()
        torch.autograd.grad(classifier(inputs)[:, 0].sum(), inputs)

    def forward(inputs: torch.Tensor) -> None:
        with torch.no_grad():
            classifier(inputs)

    whole_batch, whole_attacked = spec.batch_size / len(batch), attacked / len(small)
    return BatchSeconds(
        start=startup_seconds(),
        adversarial=whole_batch * _seconds(lambda: update(True), device),
        standard=whole_batch * _seconds(lambda: update(False), device),
        class_gradient=whole_batch * _seconds(lambda: input_gradient(batch), device),
        forward=whole_attacked * _seconds(lambda: forward(small), device),
        gradient=whole_attacked * _seconds(lambda: input_gradient(small), device),
        natural=whole_batch * _seconds(lambda: forward(batch), device),
    )


def timed_images(count: int, device: torch.device) -> int:
    """How many images of a batch of ``count`` are enough to time."""
    return count if device.type == "cuda" else min(count, CPU_BATCH)


def work_seconds(work: Work, config: Config, batch: BatchSeconds) -> float:
    """Seconds of all the work on a data set, from seconds of single batches."""
    seconds = work.jobs * batch.start
    for run in work.runs:
        spec = training_spec(run, config)
        begun = run.e if start_of(run, config) else 0
        seconds += training_seconds(spec, batch, begun=begun)
        seconds += evaluation_seconds(
            run.dataset, evaluation_spec(run, config), batch, spec.batch_size
        )
    return seconds + sum(start_seconds(start_spec(each, config), batch) for each in work.starts)


def training_seconds(spec: TrainingSpec, batch: BatchSeconds, *, begun: int = 0) -> float:
    """Updates before and after pruning, scoring, and what early stopping takes.

    Args:
        spec: of the run.
        batch: seconds of single batches.
        begun: after how many epochs the run goes on from a start, where its scores are known too.
    """
    method = METHODS[spec.run.method]
    total = spec.train_examples or DATASETS[spec.run.dataset].examples[0]
    kept, before_pruning = total, spec.epochs
    if spec.pruning:
        kept = count_to_keep(total, spec.run.p, spec.pruning.rounding)
        before_pruning = spec.run.e - (spec.pruning.when == "before_epoch")
    seen = (before_pruning - begun) * total + (spec.epochs - before_pruning) * kept
    update = batch.adversarial if method.adversarial else batch.standard
    seconds = seen / spec.batch_size * update
    if spec.deepfool and not begun:
        seconds += deepfool_seconds(spec, spec.deepfool, batch)
    return seconds + validation_seconds(spec, spec.epochs - begun, batch)


def start_seconds(spec: StartSpec, batch: BatchSeconds) -> float:
    """The updates of a start, and its scores."""
    training = spec.training
    total = training.train_examples or DATASETS[training.run.dataset].examples[0]
    passes = spec.epoch + (AFTER_PASS in spec.losses)
    seconds = passes * total / training.batch_size * batch.adversarial
    if spec.deepfool:
        seconds += len(spec.distances) * deepfool_seconds(training, spec.deepfool, batch)
    return seconds + validation_seconds(training, spec.epoch, batch)


def deepfool_seconds(spec: TrainingSpec, settings: DeepFoolSettings, batch: BatchSeconds) -> float:
    """Every example's distance, once."""
    dataset = DATASETS[spec.run.dataset]
    classes, total = dataset.classes, spec.train_examples or dataset.examples[0]
    gradients = classes + DEEPFOOL_STEPS if settings.fixed_target else classes * DEEPFOOL_STEPS
    return total / spec.batch_size * gradients * batch.class_gradient


def validation_seconds(spec: TrainingSpec, epochs: int, batch: BatchSeconds) -> float:
    """What early stopping takes of so many epochs."""
    if not spec.early_stopping:
        return 0.0
    attacked = spec.early_stopping.examples or DATASETS[spec.run.dataset].examples[1]
    return attacked / spec.batch_size * epochs * spec.early_stopping.steps * batch.class_gradient


def evaluation_seconds(
    dataset: str, spec: EvaluationSpec, batch: BatchSeconds, natural_batch: int
) -> float:
    """Natural accuracy, standard AutoAttack and APGD-CE 40x5."""
    test = DATASETS[dataset].examples[1]

    def batches(examples: int | None) -> int:
        attacked = test if examples is None else examples
        return attacked and max(1, round(ROBUST_SHARE * attacked / spec.batch_size))

    forwards = (AUTOATTACK_FORWARDS - AUTOATTACK_GRADIENTS) * batch.forward
    autoattack = forwards + AUTOATTACK_GRADIENTS * batch.gradient
    alone = APGD_40X5_GRADIENTS * batch.gradient
    return (
        test / natural_batch * batch.natural
        + batches(spec.autoattack_examples) * autoattack
        + batches(spec.single_attack_examples) * alone
    )


def _seconds(work: Callable[[], None], device: torch.device) -> float:
    """The fastest of several calls in about half a second, the first of which does not count."""
    work()
    fastest, began = float("inf"), time.perf_counter()
    while time.perf_counter() - began < 0.4:
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        fastest = min(fastest, time.perf_counter() - started)
    return fastest


def startup_seconds() -> float:
    """Seconds that a program takes until it has loaded its libraries."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch, pandas"], check=True)
    return time.perf_counter() - started
