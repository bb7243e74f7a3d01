"""MNIST for the benchmarks, and a network that was trained on it for a moment."""

import dataclasses
import functools
import os
from pathlib import Path

import torch

import measuring  # puts the library on the path
from advprune.data.examples import Examples
from advprune.data.loading import load_arrays
from advprune.networks.classifier import Classifier
from advprune.plan.config import load_config
from advprune.plan.specify import training_spec
from advprune.spec.runs import FULL_SHARE, Run
from advprune.spec.specification import TrainingSpec
from advprune.training.algorithm import train

CONFIG = load_config(measuring.PROJECT / "config/config.yaml")


@functools.cache
def digits(part: str = "train") -> Examples:
    """Real MNIST if ADVPRUNE_DATA is there, else its 5,000 digits that a package brings along."""
    root = os.environ.get("ADVPRUNE_DATA")
    arrays = load_arrays("mnist", Path(root)) if root else load_arrays("mnist5k", None)
    images, labels = (torch.from_numpy(arrays[f"{part}_{kind}"]) for kind in ("images", "labels"))
    return Examples(images, labels.long())


def spec_of(**changes: object) -> TrainingSpec:
    """How the paper trains on all of MNIST, with changes."""
    run = Run("mnist", "full", FULL_SHARE, 1, 0)
    return dataclasses.replace(training_spec(run, CONFIG), **changes)


def trained(images: int) -> Classifier:
    """A network after two epochs of RS+FGSM on so many images; in evaluation mode."""
    spec = spec_of(epochs=2, batch_size=32, max_learning_rate=0.002)
    return train(spec, digits().first(images)).classifier.eval()
