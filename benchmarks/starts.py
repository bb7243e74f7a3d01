#!/usr/bin/env python3
"""Shared starts: Figure 3's networks of one seed, each trained by itself and from the seed's start.

Twice: some of them really trained, on few images, both ways; and all of them on all images by
arithmetic, from a pass, DeepFool and what files take, each measured once.
"""

import contextlib
import dataclasses
import io
import tempfile
import time
from pathlib import Path

import torch

import measuring
from advprune.data.examples import load_examples, save_examples
from advprune.machine.provenance import environment
from advprune.paths import PROGRAMS
from advprune.plan.blocks import start_of
from advprune.plan.exhibits import runs_of
from advprune.plan.specify import start_spec, training_spec
from advprune.preflight.costs import (
    Assumed,
    Cost,
    NetworkCosts,
    examples_of,
    start_seconds,
    training_seconds,
)
from advprune.spec.runs import Run
from advprune.spec.specification import DeepFoolSettings
from advprune.training.algorithm import train
from advprune.training.attacks import Threat
from advprune.training.runs import train_runs
from advprune.training.scoring import deepfool_all
from advprune.training.starts import make_starts
from digits import CONFIG, digits, spec_of

IMAGES, SHARES = 4_000, ("0.3", "0.6", "1.0")  # really trained, at these p
NOTHING = 16  # images that are trained on in no time: what is left are files and checkpoints
TIMED = 12_000  # images of the pass that is timed
WAYS = ("each by itself", "from the start that they share")
CPU = torch.device("cpu")
FREE = Cost(0.0, 0.0)


def runs_of_seed() -> list[Run]:
    """Figure 3's networks of seed 0."""
    return [run for run in runs_of("figure3", CONFIG) if run.seed == 0]


def both_ways(runs: list[Run], images: int, pass_seconds: float, distances: float) -> list[float]:
    """Seconds of all the runs, each by itself and from a start, by arithmetic.

    Args:
        runs: of one seed, all pruned after the same epoch.
        images: how many are trained on.
        pass_seconds: of an epoch over all of them.
        distances: of DeepFool's on all of them.
    """
    per_pass, per_distances = Cost(0.0, pass_seconds / images), Cost(0.0, distances / images)
    costs = NetworkCosts(*[per_pass, FREE, per_distances, FREE, *[FREE] * 5])
    assumed = Assumed(robust=0.0, steps=1, longest=1)
    specs = [dataclasses.replace(training_spec(run, CONFIG), train_examples=images) for run in runs]

    def total(begun: int) -> float:
        return sum(
            sum(training_seconds(spec, costs, assumed, begun=begun).values()) for spec in specs
        )

    spec = start_spec(start_of(runs[0], CONFIG), CONFIG)
    training = dataclasses.replace(spec.training, train_examples=images)
    # What the runs need of it: Figure 6 asks for the losses too.
    spec = dataclasses.replace(spec, training=training, losses=["in_pass"])
    start = sum(start_seconds(spec, costs, assumed).values())
    return [total(begun=0), start + total(begun=runs[0].e)]


def trained_both_ways(runs: list[Run], images: int, folder: Path) -> list[float]:
    """CPU seconds of really training them as jobs do, without what Python takes to start."""
    arrays = {}
    for part in ("train", "test"):
        examples = digits(part)
        arrays[f"{part}_images"] = examples.images.numpy()
        arrays[f"{part}_labels"] = examples.labels.to(torch.uint8).numpy()
    folder.mkdir()
    dataset = folder / "mnist.safetensors"
    save_examples(dataset, "mnist", arrays)
    specs = [dataclasses.replace(training_spec(run, CONFIG), train_examples=images) for run in runs]
    spec = start_spec(start_of(runs[0], CONFIG), CONFIG)
    training = dataclasses.replace(spec.training, train_examples=images)
    spec = dataclasses.replace(spec, training=training, losses=["in_pass"])

    def seconds(starts: Path | None, where: Path) -> float:
        before = time.process_time()
        if starts:
            by = environment(CPU, PROGRAMS / "start.py")
            make_starts([spec], dataset, starts=starts, device=CPU, made_by=by)
        by = environment(CPU, PROGRAMS / "train.py")
        for each in specs:
            train_runs([each], dataset, runs=where, starts=starts, device=CPU, made_by=by)
        return time.process_time() - before

    load_examples(dataset, "mnist", "train")  # PyTorch's first steps are nobody's
    return [seconds(None, folder / "alone"), seconds(folder / "starts", folder / "shared")]


def measure(table: measuring.Table, tiny: bool) -> None:
    """Train some, then count all."""
    torch.set_num_threads(1)
    runs = runs_of_seed()
    some = [run for run in runs if run.p in (SHARES[:1] if tiny else SHARES)]
    nothing, images = (NOTHING, 2 * NOTHING) if tiny else (NOTHING, IMAGES)
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
        overhead = trained_both_ways(some, nothing, Path(name) / "nothing")
        really = trained_both_ways(some, images, Path(name) / "some")
    for way, seconds in zip(WAYS, overhead, strict=True):
        table.add("files and checkpoints of a network", way, "CPU seconds", [seconds / len(some)])
    say(table, f"{len(some)} networks, {images:,} images, trained", *really)

    total = examples_of(training_spec(runs[0], CONFIG))
    each, distance = timed(128 if tiny else TIMED)
    table.add(f"a pass over {total:,} images", "", "CPU seconds", [total * each])
    table.add(f"DeepFool on {total:,} images", "", "CPU seconds", [total * distance])
    passes = both_ways(runs, total, 1.0, 0.0)
    say(table, f"{len(runs)} networks, {total:,} images, passes", *passes, unit="passes")
    # The few that were trained show how far the arithmetic is to be trusted.
    for which, count in ((some, images), (runs, total)):
        counted = both_ways(which, count, count * each, count * distance)
        files = [len(which) * seconds / len(some) for seconds in overhead]
        both = [sum(parts) for parts in zip(counted, files, strict=True)]
        say(table, f"{len(which)} networks, {count:,} images, counted", *both)


def timed(images: int) -> tuple[float, float]:
    """CPU seconds an image of a pass, and of DeepFool after it."""
    spec, examples = spec_of(epochs=1), digits().first(images)
    train(spec, examples.first(spec.batch_size))
    before = time.process_time()
    classifier = train(spec, examples).classifier
    middle = time.process_time()
    generator = torch.Generator()
    threat = Threat(spec.epsilon, spec.step_size)
    settings = DeepFoolSettings(**CONFIG["deepfool"])
    deepfool_all(classifier, examples, settings, threat=threat, generator=generator)
    return (middle - before) / images, (time.process_time() - middle) / images


def say(
    table: measuring.Table, what: str, alone: float, shared: float, unit: str = "CPU seconds"
) -> None:
    """Add both numbers and their ratio."""
    for way, value in zip(WAYS, (alone, shared), strict=True):
        table.add(what, way, unit, [value])
    table.add(f"{what}: speed against {WAYS[0]}", WAYS[1], "times", [alone / shared])


if __name__ == "__main__":
    measuring.run_benchmark("starts", __doc__, measure)
