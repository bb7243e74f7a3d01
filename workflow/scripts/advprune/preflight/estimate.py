"""How long a config will take on this machine.

Where runs of the scale have been made, their benchmark files tell; for studies without any, a few
batches are timed and the rest is arithmetic over what the algorithms are known to do.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch.nn import functional

from advprune.data.examples import Examples
from advprune.plan.config import Config
from advprune.plan.specify import evaluation_spec, training_spec
from advprune.spec.datasets import DATASETS
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run
from advprune.spec.specification import EvaluationSpec, TrainingSpec
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


def from_benchmarks(runs: Sequence[Run], folder: Path) -> dict[str, float]:
    """Mean seconds of a run, training and evaluation, by data set, where runs have been made."""
    rows = []
    for run in runs:
        files = [folder / run.folder / f"{rule}.benchmark.tsv" for rule in ("train", "evaluate")]
        if all(file.exists() for file in files):
            seconds = sum(pd.read_csv(file, sep="\t")["s"].mean() for file in files)
            rows.append({"dataset": run.dataset, "seconds": seconds})
    if not rows:
        return {}
    return pd.DataFrame(rows).groupby("dataset")["seconds"].mean().to_dict()


def measure(run: Run, config: Config, device: torch.device) -> BatchSeconds:
    """Time single batches of a run's study on random images, a few seconds in all."""
    spec = training_spec(run, config)
    evaluated = evaluation_spec(run, config)
    dataset = DATASETS[run.dataset]
    robust = round(ROBUST_SHARE * (evaluated.autoattack_examples or dataset.examples[1]))
    attacked = max(1, min(evaluated.batch_size, robust))

    def images(count: int) -> torch.Tensor:
        return torch.rand(timed_images(count, device), *dataset.shape, device=device)

    few = Examples(torch.zeros(2, *dataset.shape, dtype=torch.uint8, device=device), torch.zeros(2))
    classifier = start(spec, few).classifier
    optimiser = build_optimiser(spec, classifier)
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
        start=_start_seconds(),
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


def run_seconds(run: Run, config: Config, batch: BatchSeconds) -> float:
    """Seconds of a run's training and evaluation, from seconds of single batches."""
    spec = training_spec(run, config)
    return (
        2 * batch.start
        + training_seconds(spec, batch)
        + evaluation_seconds(run.dataset, evaluation_spec(run, config), batch, spec.batch_size)
    )


def training_seconds(spec: TrainingSpec, batch: BatchSeconds) -> float:
    """Updates before and after pruning, scoring, and what early stopping takes."""
    method = METHODS[spec.run.method]
    total = spec.train_examples or DATASETS[spec.run.dataset].examples[0]
    kept, before_pruning = total, spec.epochs
    if spec.pruning:
        kept = count_to_keep(total, spec.run.p, spec.pruning.rounding)
        before_pruning = spec.run.e - (spec.pruning.when == "before_epoch")
    seen = before_pruning * total + (spec.epochs - before_pruning) * kept
    update = batch.adversarial if method.adversarial else batch.standard
    seconds = seen / spec.batch_size * update
    if spec.deepfool:
        classes = DATASETS[spec.run.dataset].classes
        gradients = (
            classes + DEEPFOOL_STEPS if spec.deepfool.fixed_target else classes * DEEPFOOL_STEPS
        )
        seconds += total / spec.batch_size * gradients * batch.class_gradient
    if spec.early_stopping:
        attacked = spec.early_stopping.examples or DATASETS[spec.run.dataset].examples[1]
        steps = spec.epochs * spec.early_stopping.steps
        seconds += attacked / spec.batch_size * steps * batch.class_gradient
    return seconds


def evaluation_seconds(
    dataset: str, spec: EvaluationSpec, batch: BatchSeconds, natural_batch: int
) -> float:
    """Natural accuracy, standard AutoAttack and APGD-CE 40x5."""
    test = DATASETS[dataset].examples[1]

    def batches(examples: int | None) -> int:
        return max(1, round(ROBUST_SHARE * (examples or test) / spec.batch_size))

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


def _start_seconds() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch, pandas"], check=True)
    return time.perf_counter() - started
