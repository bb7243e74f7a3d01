"""Small things that tests are made of: specifications, examples and networks."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from advprune.data.examples import Examples, save_examples
from advprune.networks.classifier import Classifier, build_classifier
from advprune.spec.datasets import DATASETS
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run
from advprune.spec.specification import (
    AFTER_PASS,
    IN_PASS,
    DeepFoolSettings,
    EarlyStoppingSettings,
    EvaluationSpec,
    Numerics,
    PruningSettings,
    TrainingSpec,
)
from advprune.storage.records import write_hashes
from advprune.training.algorithm import train
from advprune.training.state import TrainingState

PRUNING_METHODS = [name for name, method in METHODS.items() if method.select]
ADVERSARIAL_METHODS = [name for name, method in METHODS.items() if method.adversarial]

GREY, COLOUR = (1, 28, 28), (3, 32, 32)  # shapes of images

PLAIN = Numerics(
    precision="float32", tf32=False, channels_last=False, compile=False, deterministic=False
)

PLAIN_PRUNING = PruningSettings(
    when="after_epoch", taken=IN_PASS, rounding="exact", odd_one="far", class_balanced=False
)
PRUNED_BEFORE = dataclasses.replace(PLAIN_PRUNING, when="before_epoch", taken=None)
PLAIN_DEEPFOOL = DeepFoolSettings(
    points="clean",
    max_iterations=3,
    overshoot=0.02,
    fixed_target=False,
    unconverged="length_walked",
)
EARLY_STOPPING = EarlyStoppingSettings(examples=10, steps=2, patience=2)


def numerics(**changes) -> Numerics:
    """Plain arithmetic but for what is named."""
    return dataclasses.replace(PLAIN, **changes)


def pruning_of(method: str) -> PruningSettings:
    """The loss is taken in the training pass, a distance after it."""
    taken = {"loss": IN_PASS, "deepfool": AFTER_PASS, None: None}[METHODS[method].proxy]
    return dataclasses.replace(PLAIN_PRUNING, taken=taken)


def training_spec(
    *,
    dataset: str = "mnist",
    method: str = "full",
    p: str = "1.0",
    e: int = 1,
    seed: int = 0,
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
        pruning=pruning_of(method) if METHODS[method].select else None,
        deepfool=PLAIN_DEEPFOOL if METHODS[method].proxy == "deepfool" else None,
        early_stopping=None,
        numerics=PLAIN,
    )
    return dataclasses.replace(spec, **changes)


def evaluation_spec(
    epsilon: float, examples: int | None = None, alone: int | None = None, **changes
) -> EvaluationSpec:
    """A specification by which AutoAttack, and attacks alone, are run on so many images, or all."""
    settings = {"batch_size": 5, "seed": 0} | changes
    return EvaluationSpec(epsilon, examples, alone or examples, **settings)


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


def train_on_noise(spec: TrainingSpec, count: int = 40, **arguments) -> TrainingState:
    """Train on `examples_for` the specification."""
    return train(spec, examples_for(spec, count), **arguments)


# What `small_classifier` builds by default: some thousand weights, for 8x8 images.
SMALL = {"shape": (1, 8, 8), "classes": 10, "width": 0.25, "normalisation": None}


def small_classifier(network: str = "mnist_cnn", *, seed: int = 0, **changes) -> Classifier:
    """An untrained classifier."""
    return build_classifier(network, seed=seed, **(SMALL | changes))


def random_examples(
    count: int = 40, *, shape: tuple[int, int, int] = GREY, classes: int = 10, seed: int = 0
) -> Examples:
    """Noise with labels."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (count, *shape), generator=generator, dtype=torch.uint8)
    return Examples(images, torch.arange(count) % classes)


def examples_for(spec: TrainingSpec, count: int = 40) -> Examples:
    """Noise of the shape that the specification's data set has."""
    return random_examples(count, shape=DATASETS[spec.run.dataset].shape)


def write_dataset(path: Path, *, train: int = 40, test: int = 10, seed: int = 0) -> Path:
    """Write noise as the file of MNIST."""
    arrays = {}
    for part, count, own_seed in (("train", train, seed), ("test", test, seed + 1)):
        examples = random_examples(count, seed=own_seed)
        arrays[f"{part}_images"] = examples.images.numpy()
        arrays[f"{part}_labels"] = examples.labels.to(torch.uint8).numpy()
    save_examples(path, "mnist", arrays)
    return path


def linear_classifier(weights: Tensor, bias: Tensor | None = None) -> nn.Module:
    """Logits ``weights @ pixels + bias``; weights are (classes, pixels)."""
    linear = nn.Linear(weights.shape[1], weights.shape[0])
    with torch.no_grad():
        linear.weight.copy_(weights)
        linear.bias.copy_(torch.zeros(len(weights)) if bias is None else bias)
    return nn.Sequential(nn.Flatten(), linear)


def brightest_pixel_classifier() -> nn.Module:
    """Predicts the number of the brightest of an image's ten pixels."""
    return linear_classifier(torch.eye(10)).eval()


def images_with_brightest(pixels: Iterable[int]) -> Tensor:
    """For each number an image of ten pixels, of which that one is white and the rest black."""
    return 255 * torch.eye(10, dtype=torch.uint8)[list(pixels)].view(-1, 1, 1, 10)


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
