"""A classifier: a network with the normalisation of its images inside.

Attacks and data always deal in images with values in [0, 1]; a network normalises for itself.
"""

import pkgutil
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from advprune.errors import UserError
from advprune.spec.networks import NETWORKS, ONEDNN_BLOCK


class Normalise(nn.Module):
    """Subtract a mean and divide by a standard deviation, channel by channel."""

    def __init__(self, mean: Sequence[float], standard_deviation: Sequence[float]) -> None:
        super().__init__()
        shape = (1, -1, 1, 1)
        # Constants of the data, not of the trained network: kept out of the saved weights.
        self.register_buffer("mean", torch.tensor(mean).view(shape), persistent=False)
        scale = torch.tensor(standard_deviation).view(shape)
        self.register_buffer("standard_deviation", scale, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images in [0, 1] to values of about mean 0 and standard deviation 1."""
        return (images - self.mean) / self.standard_deviation


class Classifier(nn.Module):
    """A network that takes images in [0, 1] and gives logits.

    Attributes:
        normalise: the normalisation, or an identity.
        network: the network proper; its weights alone are saved.
        channels_last: whether images and weights are laid out in memory with the channels last.
    """

    def __init__(self, network: nn.Module, normalise: nn.Module) -> None:
        super().__init__()
        self.normalise = normalise
        self.network = network
        self.channels_last = False

    @property
    def normalises_batches(self) -> bool:
        """Whether the network has batch normalisation, which one image is too few for."""
        return any(isinstance(module, nn.BatchNorm2d) for module in self.network.modules())

    def lay_out_channels_last(self) -> None:
        """Lay weights, and in every call the images, out with the channels last in memory.

        Raises:
            UserError: oneDNN would train it wrongly, see `spec.networks`.
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
        self.channels_last = True
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """(n, channels, height, width) images to (n, classes) logits."""
        if self.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
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
        network: a name in `spec.networks.NETWORKS`.
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
