"""The networks of the paper's Figure 7, with the normalisation inside.

Attacks and data always deal in images with values in [0, 1]; a network normalises for itself. To
add a network, write a function that builds it and enter it in `registry.NETWORKS`.
"""

import pickle
import pkgutil
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from advprune.errors import UserError
from advprune.files import written_whole
from advprune.registry import NETWORKS, ONEDNN_BLOCK


class Normalise(nn.Module):
    """Subtract a mean and divide by a standard deviation, channel by channel."""

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        shape = (1, -1, 1, 1)
        # Constants of the data, not of the trained network: kept out of the saved weights.
        self.register_buffer("mean", torch.tensor(mean).view(shape), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(shape), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images in [0, 1] to values of about mean 0 and deviation 1."""
        return (images - self.mean) / self.deviation


class Classifier(nn.Module):
    """A network that takes images in [0, 1] and gives logits.

    Attributes:
        normalise: the normalisation, or an identity.
        network: the network proper; its weights alone are saved.
    """

    def __init__(self, network: nn.Module, normalise: nn.Module) -> None:
        super().__init__()
        self.normalise = normalise
        self.network = network

    @property
    def normalises_batches(self) -> bool:
        """Whether the network has batch normalisation, which one image is too few for."""
        return any(isinstance(module, nn.BatchNorm2d) for module in self.network.modules())

    def lay_out_channels_last(self) -> None:
        """Lay its weights out with the channels last in memory.

        Raises:
            UserError: oneDNN would train it wrongly, see `registry.Network`.
        """
        narrow = [
            module.in_channels
            for module in self.network.modules()
            if isinstance(module, nn.Conv2d)
            and module.kernel_size == (1, 1)
            and max(module.stride) > 1
            and module.in_channels < ONEDNN_BLOCK
        ]
        if narrow and next(self.parameters()).device.type == "cpu":
            raise UserError(
                "execution.channels_last cannot be used on a CPU for a network with a strided 1x1 "
                f"convolution of {narrow[0]} input channels: oneDNN's backward pass needs "
                f"{ONEDNN_BLOCK} or more (its issue 6035). Set it to false, or widen the network"
            )
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """(n, channels, height, width) images to (n, classes) logits."""
        return self.network(self.normalise(images))

    def features(self, images: Tensor) -> Tensor:
        """(n, k) penultimate features: what goes into the last linear layer."""
        captured: list[Tensor] = []
        last = [module for module in self.network.modules() if isinstance(module, nn.Linear)][-1]
        hook = last.register_forward_pre_hook(lambda _, inputs: captured.append(inputs[0]))
        try:
            self(images)
        finally:
            hook.remove()
        return captured[0]


def mnist_cnn(*, channels: int, size: int, classes: int, width: float) -> nn.Module:
    """Figure 7's "CNN (16, 32 filters, 100 FC units)", as in Wong et al. (2020).

    Without batch normalisation; two convolutions that each halve the image, two linear layers.
    """
    first, second, hidden = (_scaled(number, width) for number in (16, 32, 100))
    return nn.Sequential(
        nn.Conv2d(channels, first, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(first, second, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(second * (size // 4) ** 2, hidden),
        nn.ReLU(),
        nn.Linear(hidden, classes),
    )


class PreActBlock(nn.Module):
    """A pre-activation basic block (He et al. 2016): twice normalise, rectify, convolve."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False))

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        active = functional.relu(self.bn1(hidden))
        skipped = self.shortcut(active) if hasattr(self, "shortcut") else hidden
        return skipped + self.conv2(functional.relu(self.bn2(self.conv1(active))))


class PreActResNet18(nn.Module):
    """A pre-activation ResNet of four stages of two blocks.

    Args:
        large_stem: false for the 3x3 stem usual for 32x32 images, with a last batch normalisation;
            true for the 7x7 stem with stride 2 and max-pooling made for ImageNet and without the
            last batch normalisation, as in the code that the paper's authors released.
    """

    def __init__(
        self, *, channels: int, classes: int, widths: Sequence[int], large_stem: bool
    ) -> None:
        super().__init__()
        if large_stem:
            self.conv1 = nn.Conv2d(channels, widths[0], 7, stride=2, padding=3, bias=False)
            self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        else:
            self.conv1 = nn.Conv2d(channels, widths[0], 3, padding=1, bias=False)
            self.pool = nn.Identity()
        inputs = (widths[0], *widths[:-1])
        stages = [
            nn.Sequential(PreActBlock(before, after, stride), PreActBlock(after, after, 1))
            for before, after, stride in zip(inputs, widths, (1, 2, 2, 2), strict=True)
        ]
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.bn = nn.Identity() if large_stem else nn.BatchNorm2d(widths[-1])
        self.linear = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """(n, channels, height, width) to (n, classes) logits."""
        hidden = self.pool(self.conv1(images))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            hidden = stage(hidden)
        hidden = functional.relu(self.bn(hidden))
        return self.linear(hidden.mean(dim=(2, 3)))


def preact_resnet18(*, channels: int, size: int, classes: int, width: float) -> nn.Module:
    """The PreAct-ResNet18 of Wong et al. (2020), for 32x32 images: 555 million multiplications."""
    widths = [_scaled(number, width) for number in (64, 128, 256, 512)]
    return PreActResNet18(channels=channels, classes=classes, widths=widths, large_stem=False)


def preact_resnet18_large_stem(
    *, channels: int, size: int, classes: int, width: float
) -> nn.Module:
    """The PreAct-ResNet18 of the authors' released code: 37 million multiplications."""
    widths = [_scaled(number, width) for number in (64, 128, 256, 512)]
    return PreActResNet18(channels=channels, classes=classes, widths=widths, large_stem=True)


def _scaled(number: int, width: float) -> int:
    return max(1, round(number * width))


def build_classifier(
    network: str,
    *,
    shape: tuple[int, int, int],
    classes: int,
    width: float,
    normalisation: tuple[Sequence[float], Sequence[float]] | None,
    seed: int,
) -> Classifier:
    """Build a network with weights drawn by PyTorch's default initialisation from ``seed``.

    The global random state is left as it was.

    Args:
        network: a name in `registry.NETWORKS`.
        shape: (channels, height, width) of the images.
        classes: how many logits.
        width: multiplies the number of filters; 1 is the paper's.
        normalisation: the mean and the standard deviation of each channel, or None for none.
        seed: of the initial weights.
    """
    normalise: nn.Module = nn.Identity()
    if normalisation is not None:
        normalise = Normalise(*normalisation)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        build = pkgutil.resolve_name(NETWORKS[network].code)
        body = build(channels=shape[0], size=shape[1], classes=classes, width=width)
    return Classifier(body, normalise)


def save_weights(path: str | Path, classifier: Classifier) -> None:
    """Write the weights of a classifier's network, whole or not at all.

    They are written from the CPU and in the usual layout, wherever and however they lie in memory.
    """
    weights = classifier.network.state_dict()
    with written_whole(path) as temporary:
        save_file({name: value.cpu().contiguous() for name, value in weights.items()}, temporary)


def load_weights(classifier: Classifier, weights: Mapping[str, Tensor]) -> None:
    """Put weights into a classifier's network; the names must match one for one.

    The prefix ``module.`` that parallel training leaves in names is taken off.

    Raises:
        ValueError: names or shapes differ; the message lists the first of them.
    """
    stripped = {name.removeprefix("module."): value for name, value in weights.items()}
    wanted = classifier.network.state_dict()
    missing = sorted(wanted.keys() - stripped.keys())
    unknown = sorted(stripped.keys() - wanted.keys())
    reshaped = [
        f"{name} is {tuple(stripped[name].shape)}, not {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & stripped.keys())
        if stripped[name].shape != wanted[name].shape
    ]
    problems = [
        f"{title}: {', '.join(names[:3])}{' …' if len(names) > 3 else ''}"
        for title, names in (
            ("missing", missing),
            ("not in this network", unknown),
            ("wrong shape", reshaped),
        )
        if names
    ]
    if problems:
        raise ValueError("; ".join(problems))
    classifier.network.load_state_dict(stripped)


def read_classifier(path: Path, network: str, **architecture: Any) -> Classifier:
    """Build a network and read its weights from a file, none of which is ever executed.

    Args:
        path: a ``.safetensors`` file, or a state dict saved by PyTorch, which is read with
            ``weights_only``.
        network: a name in `registry.NETWORKS`.
        architecture: the rest of what `build_classifier` takes, but for the seed.

    Raises:
        UserError: the file cannot be read or holds the weights of another network.
    """
    try:
        if path.suffix == ".safetensors":
            weights = load_file(path)
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
        weights = weights.get("state_dict", weights) if isinstance(weights, Mapping) else weights
        if not _is_state_dict(weights):
            raise ValueError(f"it holds a {type(weights).__name__}, not a state dict")
        classifier = build_classifier(network, seed=0, **architecture)
        load_weights(classifier, weights)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist") from error
    except (
        SafetensorError,
        OSError,
        EOFError,
        LookupError,
        ValueError,
        RuntimeError,
        struct.error,
    ) as error:
        raise UserError(f"{path} cannot be used as weights of {network}: {error}") from error
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} was not opened: it holds more than weights, or is damaged. Save the network's "
            "state_dict() alone, best as .safetensors"
        ) from error
    return classifier


def _is_state_dict(content: object) -> bool:
    return isinstance(content, Mapping) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    )
