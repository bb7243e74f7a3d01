#!/usr/bin/env python3
"""What the cost model must know of a device: seconds of each kind of work, in 8 minutes.

Every kind is timed on batches of two or more sizes, since a batch costs something by itself, nearly
all of it on a GPU, and each image something more. Results are lines of JSON, written as they come;
what fails says so in its line and stops nothing else. A device that is taken away early leaves what
was measured, and the order is that of need. `benchmarks/fit.py` makes costs of the file.

Networks are untrained and images noise, which costs the same, and nothing is left to chance: an
attack has so small a bound that every image withstands it, and DeepFool takes a fixed number of
steps. With `--device cpu` it measures a CPU, in CPU seconds and on smaller batches.
"""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

import measuring
from advprune.data.examples import Examples
from advprune.evaluation.autoattack import build_autoattack, survivors
from advprune.evaluation.single_attacks import withstand
from advprune.machine.devices import tf32
from advprune.machine.provenance import device_name, processor
from advprune.machine.stopwatch import clock
from advprune.networks.classifier import Classifier, build_classifier
from advprune.plan.config import load_config
from advprune.plan.specify import evaluation_spec, training_spec
from advprune.spec.datasets import DATASETS
from advprune.spec.runs import FULL_SHARE, Run
from advprune.spec.specification import DeepFoolSettings, EvaluationSpec, TrainingSpec
from advprune.training.algorithm import train
from advprune.training.deepfool import deepfool

TINY_BOUND = 1e-6  # of attacks that every image is to withstand
STEPS = (1, 5)  # of DeepFool: the first finds the class, the others keep it

Record = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """A network on a data set's images, and on how many it is timed at once.

    Attributes:
        dataset, network, width: which network.
        batches: sizes of training's batches.
        scored: of DeepFool's, and of images that are only classified.
        attacked: of APGD-CE's.
        autoattacked: of AutoAttack's; none where that takes too long.
        updates: how many updates are timed.
    """

    dataset: str
    network: str
    width: float
    batches: tuple[int, ...]
    scored: tuple[int, ...]
    attacked: tuple[int, ...]
    autoattacked: tuple[int, ...]
    updates: int

    @property
    def name(self) -> str:
        """As it stands in the costs."""
        return f"{self.network} {self.width:g}"


LARGE_STEM = "preact_resnet18_large_stem"
# Dataset, network, width (0.125 is the quick scale's), and the sizes in their order above.
ON_GPU = (
    Subject("mnist", "mnist_cnn", 1, (32, 128), (100, 500), (1_000, 10_000), (500, 1_000), 400),
    Subject("cifar10", "preact_resnet18", 1, (32, 128), (100, 500), (250, 1_000), (250, 500), 60),
    Subject("cifar10", LARGE_STEM, 1, (32, 128), (100, 500), (250, 1_000), (), 60),
)
ON_CPU = (
    Subject("mnist", "mnist_cnn", 1, (32, 128), (100, 500), (25, 100), (4, 24), 60),
    Subject("shapes10", LARGE_STEM, 0.125, (32, 128), (25, 100), (8, 50), (4, 12), 12),
    Subject("cifar10", LARGE_STEM, 1, (32, 128), (10, 50), (4, 16), (), 3),
    Subject("cifar10", "preact_resnet18", 1, (16, 32), (4, 16), (2, 8), (), 2),
)
TINY = (Subject("mnist", "mnist_cnn", 0.25, (2, 4), (2, 4), (2,), (2,), 2),)
# Other arithmetic of training, on a GPU.
ARITHMETIC = {
    "float32": {},
    "TF32": {"tf32": True},
    "TF32, channels last": {"tf32": True, "channels_last": True},
    "float16": {"precision": "float16"},
    "float16, channels last": {"precision": "float16", "channels_last": True},
    "bfloat16, channels last": {"precision": "bfloat16", "channels_last": True},
}
CONFIG = load_config(measuring.PROJECT / "config/config.yaml")


@dataclass(frozen=True)
class Device:
    """Where it is measured: wall-clock seconds on a GPU, CPU seconds on a CPU."""

    device: torch.device

    def seconds(self, work: Callable[[], object], rounds: int = 3) -> list[float]:
        """Of several calls, after one that does not count."""
        work()
        return [self.once(work) for _ in range(rounds)]

    def once(self, work: Callable[[], object]) -> float:
        """Of one call."""
        before = clock(self.device)
        work()
        return clock(self.device) - before


def specs_of(subject: Subject) -> tuple[TrainingSpec, EvaluationSpec]:
    """How the paper trains and evaluates it, but for one epoch and under a tiny bound."""
    like = "mnist" if DATASETS[subject.dataset].shape[0] == 1 else "cifar10"
    run = Run(like, "full", FULL_SHARE, 1, 0)
    spec = dataclasses.replace(
        training_spec(run, CONFIG),
        run=dataclasses.replace(run, dataset=subject.dataset),
        network=subject.network,
        width=float(subject.width),
        epochs=1,
    )
    return spec, dataclasses.replace(evaluation_spec(run, CONFIG), epsilon=TINY_BOUND)


def noise(subject: Subject, count: int, device: torch.device) -> Examples:
    """So many images of the data set's shape, with labels."""
    entry = DATASETS[subject.dataset]
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, *entry.shape), generator=generator, dtype=torch.uint8)
    return Examples(images, torch.arange(count) % entry.classes).to(device)


def untrained(subject: Subject, device: torch.device) -> Classifier:
    """The network, in evaluation mode."""
    architecture = DATASETS[subject.dataset].architecture(normalise=True)
    network = build_classifier(subject.network, width=subject.width, seed=0, **architecture)
    return network.to(device).eval()


# --- the kinds of work, each a generator of (what, batch size, seconds a batch)

Measured = Iterator[tuple[str, int, list[float]]]


def updates(subject: Subject, at: Device, **numerics: Any) -> Measured:
    """An update of adversarial training as a run makes it, whatever comes before and after."""
    spec, _ = specs_of(subject)
    spec = dataclasses.replace(spec, numerics=dataclasses.replace(spec.numerics, **numerics))
    for size in subject.batches:
        yield "update", size, update_seconds(spec, subject, size, at)


def standard_updates(subject: Subject, at: Device) -> Measured:
    """The same without the attack."""
    spec, _ = specs_of(subject)
    spec = dataclasses.replace(spec, epsilon=None, step_size=None)
    size = subject.batches[-1]
    yield "standard update", size, update_seconds(spec, subject, size, at)


def update_seconds(spec: TrainingSpec, subject: Subject, size: int, at: Device) -> list[float]:
    """Seconds an update, by epochs of few and of more updates."""
    spec = dataclasses.replace(spec, batch_size=size)
    counts = (subject.updates // 4 + 1, subject.updates + 1)
    few, more = (noise(subject, size * count, at.device) for count in counts)
    train(spec, few)
    found = []
    for _ in range(3):
        seconds = at.once(lambda: train(spec, more)) - at.once(lambda: train(spec, few))
        found.append(max(0.0, seconds) / (counts[1] - counts[0]))
    return found


def calls(subject: Subject, at: Device) -> Measured:
    """Calls of the network, without and with the gradient of the images."""
    model = untrained(subject, at.device)
    for size in subject.scored:
        images, _ = noise(subject, size, at.device).batch(slice(None))
        yield "forward", size, at.seconds(lambda images=images: forward(model, images), 5)
        yield "gradient", size, at.seconds(lambda images=images: gradient(model, images), 5)


@torch.no_grad()
def forward(model: Classifier, images: Tensor) -> Tensor:
    """Logits."""
    return model(images)


def gradient(model: Classifier, images: Tensor) -> Tensor:
    """Of one logit, by the images."""
    point = images.clone().requires_grad_()
    return torch.autograd.grad(model(point)[:, 0].sum(), point)[0]


def distances(subject: Subject, at: Device) -> Measured:
    """DeepFool's first step, and each further one on as many images."""
    model = untrained(subject, at.device)
    # Tested where it stands, no image ever leaves its class: all take the steps allowed.
    settings = CONFIG["deepfool"] | {"overshoot": -1.0}
    first, all_of_them = (DeepFoolSettings(**settings | {"max_iterations": n}) for n in STEPS)
    for size in subject.scored:
        images, _ = noise(subject, size, at.device).batch(slice(None))
        short = at.seconds(lambda images=images: deepfool(model, images, first))
        long = at.seconds(lambda images=images: deepfool(model, images, all_of_them))
        yield "first step", size, short
        further = [(b - a) / (STEPS[1] - STEPS[0]) for a, b in zip(short, long, strict=True)]
        yield "further step", size, [max(0.0, each) for each in further]


def single_attack(subject: Subject, at: Device) -> Measured:
    """APGD-CE 40x5 on images that withstand it."""
    _, spec = specs_of(subject)
    model = untrained(subject, at.device)
    for size in subject.attacked:
        images, labels, standing = withstanding(model, subject, size, at.device)
        spec = dataclasses.replace(spec, batch_size=size)
        arguments = ("apgd_ce_40x5", model, images, labels, standing, spec)
        yield "apgd_ce_40x5", size, [at.once(lambda each=arguments: withstand(*each))]


def autoattack(subject: Subject, at: Device) -> Measured:
    """Each attack of the standard AutoAttack on images that withstand all."""
    _, spec = specs_of(subject)
    model = untrained(subject, at.device)
    for size in subject.autoattacked:
        images, labels, standing = withstanding(model, subject, size, at.device)
        adversary = build_autoattack(model, spec, images)
        for attack in spec.autoattack.attacks:
            arguments = (adversary, attack, images, labels, standing, size)
            yield attack, size, [at.once(lambda each=arguments: survivors(*each))]


def withstanding(
    model: Classifier, subject: Subject, count: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Images, what the network takes them for, and that all of them stand."""
    images, _ = noise(subject, count, device).batch(slice(None))
    return (
        images,
        forward(model, images).argmax(dim=1),
        torch.ones(count, dtype=bool, device=device),
    )


# --- all of it


def parts(subjects: tuple[Subject, ...], at: Device) -> Iterator[tuple[Subject, str, Measured]]:
    """What is measured, most needed first: the subject, the way, and what measures it."""
    for subject in subjects:
        yield subject, "", updates(subject, at)
        yield subject, "", distances(subject, at)
        yield subject, "", calls(subject, at)
        yield subject, "", single_attack(subject, at)
    for subject in subjects:
        yield subject, "", autoattack(subject, at)
        yield subject, "", standard_updates(subject, at)
    if at.device.type == "cuda":
        largest = next(each for each in subjects if each.network == "preact_resnet18")
        for way, numerics in ARITHMETIC.items():
            yield largest, way, updates(largest, at, **numerics)


def record_all(subjects: tuple[Subject, ...], at: Device, file: IO[str], seconds: float) -> int:
    """Write a line of JSON for every result; begin nothing once so many seconds are over.

    Returns:
        how many parts failed or were not begun.
    """
    began, missing = time.perf_counter(), 0
    for subject, way, measured in parts(subjects, at):
        about = {"network": subject.name, "way": way}
        if time.perf_counter() - began > seconds:
            missing += 1
            write_line(file, about | {"skipped": measured.__name__})
            continue
        try:
            with tf32(False):
                for what, size, found in measured:
                    write_line(file, about | {"what": what, "images": size, "seconds": found})
        except Exception as error:  # whatever it is, the others can still be measured
            missing += 1
            write_line(file, about | {"failed": measured.__name__, "error": str(error)[:500]})
    return missing


def write_line(file: IO[str], record: Record) -> None:
    """Write a line that survives whatever comes next, and show it."""
    if "seconds" in record:
        record["seconds"] = [float(f"{each:.4g}") for each in record["seconds"]]
    print(json.dumps(record), file=file, flush=True)
    print(json.dumps(record), flush=True)


def main() -> None:
    """Measure a device."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda", choices=("cpu", "cuda"))
    parser.add_argument("--seconds", default=420, type=float, help="begin nothing after [420]")
    parser.add_argument("--tiny", action="store_true", help="only show that it works")
    parser.add_argument("--output", required=True, type=Path, help="the .jsonl file to write")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("error: PyTorch sees no GPU here; --device cpu measures the CPU")
    torch.set_num_threads(1)
    at = Device(torch.device(options.device))
    on_gpu = options.device == "cuda"
    subjects = TINY if options.tiny else ON_GPU if on_gpu else ON_CPU
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with open(options.output, "w", encoding="utf-8") as file:
        name = device_name(at.device) if on_gpu else processor()
        write_line(file, {"device": name, "torch": torch.__version__})
        missing = record_all(subjects, at, file, options.seconds)
    if missing:
        sys.exit(f"error: {missing} parts failed or were not begun; {options.output} says which")


if __name__ == "__main__":
    main()
