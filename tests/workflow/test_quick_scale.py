"""What the quick scale promises: real digits, really learnt."""

import pytest
import torch
from workflow_tools import PROJECT

from advprune.data.examples import Examples
from advprune.data.sources import mnist5k
from advprune.evaluation.phases import predict
from advprune.plan.config import load_config, seeds_of
from advprune.plan.specify import training_spec
from advprune.spec.runs import Run
from advprune.training.algorithm import train

CONFIG = load_config(PROJECT / "config/quick.yaml")


@pytest.fixture(scope="module")
def digits():
    arrays = {name: torch.from_numpy(array) for name, array in mnist5k(None).items()}
    return tuple(
        Examples(arrays[f"{part}_images"], arrays[f"{part}_labels"].long())
        for part in ("train", "test")
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds_of(CONFIG["studies"]["mnist"]["experiments"]["accuracy"]))
def test_training_on_all_digits_reaches_a_natural_accuracy_above_90_percent(digits, seed):
    training_set, test_set = digits
    spec = training_spec(Run("mnist5k", "full", "1.0", 1, seed), CONFIG)
    classifier = train(spec, training_set).classifier.eval()
    right = predict(classifier, test_set) == test_set.labels
    assert right.float().mean().item() > 0.9
