"""Of every test of a figure."""

import copy
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from score_tools import scores_of

from advprune.analysis.scores import Scores
from advprune.data.examples import save_examples
from advprune.plan.config import Config, load_config


@pytest.fixture(autouse=True)
def _closed_figures():
    """Matplotlib keeps every figure that is not closed, and warns of many."""
    yield
    plt.close("all")


@dataclass(frozen=True)
class Digits:
    """A small study of MNIST for Figure 2: three classes, told apart at a glance.

    Attributes:
        dataset: the file with its 60 training images.
        scores: the later an example, the greater its loss; DeepFool's distances are all alike.
        config: that asks for a sample of 30, half of the examples kept.
    """

    dataset: Path
    scores: Scores
    config: Config


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    labels = np.arange(60, dtype=np.uint8) % 3
    noise = np.random.default_rng(0).integers(40, size=(60, 1, 28, 28))
    images = (noise + 100 * labels[:, None, None, None]).astype(np.uint8)
    path = tmp_path_factory.mktemp("digits") / "mnist.safetensors"
    arrays = {f"{part}_images": images for part in ("train", "test")}
    arrays |= {f"{part}_labels": labels for part in ("train", "test")}
    save_examples(path, "mnist", arrays)
    config = copy.deepcopy(load_config())
    config["studies"]["mnist"]["training"]["width"] = 0.25
    config["figure2"] = {"examples": 30, "p": 0.5, "perplexity": 5}
    return Digits(path, scores_of(labels, loss=np.arange(60), distance=np.ones(60)), config)
