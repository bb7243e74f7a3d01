#!/usr/bin/env python3
"""Peak memory of the jobs that work on networks, MNIST's and a ResNet's, by the rules' programs.

An epoch and few images of the ResNet are enough: memory is taken by the data set and by the largest
batch.
"""

import dataclasses
import json
import sys
import tempfile
from pathlib import Path

import torch

import measuring
from advprune.data.examples import save_examples
from advprune.data.loading import load_arrays
from advprune.paths import PROGRAMS
from advprune.plan.specify import evaluation_spec, start_spec, training_spec
from advprune.spec.runs import FULL_SHARE, Run, Start
from advprune.spec.specification import Specification
from digits import CONFIG, digits

ATTACKED = 500  # a whole batch
RESNET_IMAGES = 256


def peak(program: str, spec: Specification, *arguments: str | Path) -> float:
    """MB that one of the rules' programs takes at most."""
    command = [sys.executable, PROGRAMS / f"{program}.py", "--spec", json.dumps(spec.to_dict())]
    return measuring.taken_by([*command, "--device", "cpu", *arguments])[2]


def measure(table: measuring.Table, tiny: bool) -> None:
    """Train, score and evaluate on MNIST; train a ResNet."""
    run = Run("mnist", "full", FULL_SHARE, 1, 0)
    images = 64 if tiny else None
    training = dataclasses.replace(training_spec(run, CONFIG), epochs=1, train_examples=images)
    start = start_spec(Start("mnist", 1, 0), CONFIG)
    start = dataclasses.replace(
        start, training=dataclasses.replace(training, epochs=2), losses=["in_pass"]
    )
    # Bounds that everything breaks at once: all attacks would take minutes and no more memory.
    evaluation = dataclasses.replace(
        evaluation_spec(run, CONFIG),
        epsilon=1.0,
        autoattack_examples=2 if tiny else ATTACKED,
        single_attack_examples=2 if tiny else ATTACKED,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = write_mnist(folder / "mnist.safetensors")
        shared = ("--dataset", data, "--block", folder / "block.json")
        seeds = ("--seeds", "0", *shared)
        found = {
            "start": peak("start", start, *seeds, "--starts", folder / "starts"),
            "train": peak("train", training, *seeds, "--runs", folder / "runs"),
            "evaluate": peak("evaluate", evaluation, *shared, folder / "runs" / run.folder),
        }
        for rule, megabytes in found.items():
            table.add("peak memory, MNIST", rule, "MB", [megabytes])
        if not tiny:
            table.add("peak memory, PreAct-ResNet18", "train", "MB", [peak_of_resnet(folder)])


def write_mnist(path: Path) -> Path:
    """Write the data set's file."""
    arrays = {}
    for part in ("train", "test"):
        examples = digits(part)
        arrays[f"{part}_images"] = examples.images.numpy()
        arrays[f"{part}_labels"] = examples.labels.to(torch.uint8).numpy()
    save_examples(path, "mnist", arrays)
    return path


def peak_of_resnet(folder: Path) -> float:
    """MB of training CIFAR10's network, on drawn shapes."""
    run = Run("cifar10", "full", FULL_SHARE, 1, 0)
    spec = dataclasses.replace(
        training_spec(run, CONFIG),
        run=dataclasses.replace(run, dataset="shapes10"),
        epochs=1,
        train_examples=RESNET_IMAGES,
    )
    data = folder / "shapes10.safetensors"
    save_examples(data, "shapes10", load_arrays("shapes10", None))
    files = ("--dataset", data, "--block", folder / "block.json", "--runs", folder / "runs")
    return peak("train", spec, "--seeds", "0", *files)


if __name__ == "__main__":
    measuring.run_benchmark("memory", __doc__, measure)
