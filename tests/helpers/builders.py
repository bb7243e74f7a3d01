"""Small things that tests are made of: specifications, examples and networks."""

import dataclasses
from pathlib import Path

import torch
from torch import Tensor, nn

from advprune.data.examples import Examples
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run
from advprune.spec.specification import (
    DeepFoolSettings,
    EarlyStoppingSettings,
    Numerics,
    PruningSettings,
    TrainingSpec,
)
from advprune.storage.records import write_hashes
from advprune.training.state import TrainingState

PRUNING_METHODS = [name for name, method in METHODS.items() if method.select]
ADVERSARIAL_METHODS = [name for name, method in METHODS.items() if method.adversarial]

PLAIN = Numerics(precision="float32", channels_last=False, compile=False, deterministic=False)

PLAIN_PRUNING = PruningSettings(
    when="after_epoch", rounding="exact", odd_one="far", class_balanced=False
)
PLAIN_DEEPFOOL = DeepFoolSettings(
    points="clean",
    max_iterations=3,
    overshoot=0.02,
    fixed_target=False,
    unconverged="length_walked",
)
EARLY_STOPPING = EarlyStoppingSettings(examples=10, steps=2, patience=2)

# Columns of a table of runs that say what its runs were made with.
MADE_WITH = {
    **{"source": "0123456789ab", "torch": "2.0", "device": "cpu: x86_64", "threads": 1},
    **{"evaluation_source": "0123456789ab", "evaluation_torch": "2.0"},
    "evaluation_device": "cpu: x86_64",
}


def training_spec(
    *,
    dataset: str = "mnist",
    method: str = "full",
    p: str = "1.0",
    e: int = 1,
    seed: int = 0,
    numerics: Numerics = PLAIN,
    **changes,
) -> TrainingSpec:
    """A specification that trains within milliseconds."""
    spec = TrainingSpec(
        run=Run(dataset, method, p, e, seed),
        train_examples=None,
        network="mnist_cnn",
        width=0.25,
        normalise=False,
        augment=False,
        epochs=3,
        batch_size=16,
        optimiser="adam",
        momentum=0.9,
        weight_decay=0.0,
        max_learning_rate=0.01,
        peak=0.4,
        epsilon=0.1 if METHODS[method].adversarial else None,
        step_size=0.125 if METHODS[method].adversarial else None,
        paired_seeds=True,
        pruning=PLAIN_PRUNING if METHODS[method].select else None,
        deepfool=PLAIN_DEEPFOOL if METHODS[method].proxy == "deepfool" else None,
        early_stopping=None,
        numerics=numerics,
    )
    return dataclasses.replace(spec, **changes)


# The narrowest a ResNet may be for channels last on a CPU.
WIDE = 0.25


def resnet_spec(**changes) -> TrainingSpec:
    """A specification with all that MNIST's lacks: batch statistics, momentum, augmentation."""
    settings = {
        "dataset": "cifar10",
        "network": "preact_resnet18",
        "width": 0.0625,
        "normalise": True,
        "augment": True,
        "optimiser": "sgd",
        "weight_decay": 5e-4,
        "max_learning_rate": 0.1,
        "epsilon": 8 / 255,
        "step_size": 10 / 255,
    }
    return training_spec(**(settings | changes))


def random_examples(
    count: int = 40, *, shape: tuple[int, int, int] = (1, 28, 28), classes: int = 10, seed: int = 0
) -> Examples:
    """Noise with labels."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (count, *shape), generator=generator, dtype=torch.uint8)
    return Examples(images, torch.arange(count) % classes)


def examples_for(spec: TrainingSpec, count: int = 40) -> Examples:
    """Noise of the shape that the specification's data set has."""
    shape = (1, 28, 28) if spec.run.dataset == "mnist" else (3, 32, 32)
    return random_examples(count, shape=shape)


def linear_classifier(weights: Tensor, bias: Tensor | None = None) -> nn.Module:
    """Logits ``weights @ pixels + bias``; weights are (classes, pixels)."""
    linear = nn.Linear(weights.shape[1], weights.shape[0])
    with torch.no_grad():
        linear.weight.copy_(weights)
        linear.bias.copy_(torch.zeros(len(weights)) if bias is None else bias)
    return nn.Sequential(nn.Flatten(), linear)


def weights_of(state: TrainingState) -> dict[str, Tensor]:
    """A copy of the weights and batch statistics as they are now."""
    return {k: v.clone() for k, v in state.classifier.network.state_dict().items()}


def same_tensors(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two sets of tensors are equal bit for bit (NaN equals itself)."""
    return first.keys() == second.keys() and all(
        first[name].dtype == second[name].dtype
        and first[name].numpy().tobytes() == second[name].numpy().tobytes()
        for name in first
    )


def write_hashed(path: Path, text: str) -> Path:
    """Write a file by hand that is taken for one that the analysis wrote."""
    path.write_text(text)
    write_hashes(path)
    return path
