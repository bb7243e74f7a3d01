"""The networks that can be named; `networks.architectures` has their code.

Importing this module loads no PyTorch: the workflow asks it for names.
"""

from dataclasses import dataclass

# oneDNN's blocks of channels, with AVX-512; with AVX2 alone they are of 8.
ONEDNN_BLOCK = 16


@dataclass(frozen=True)
class Network:
    """An architecture.

    Attributes:
        code: where the function that builds it is. It takes ``channels``, ``size`` (height and
            width), ``classes`` and ``width`` by keyword, and returns an nn.Module from (n,
            channels, size, size) images to (n, classes) logits.
        shortcut_channels: at width 1, the fewest channels that go into one of its 1x1 convolutions
            with a stride above 1; None if it has none.
    """

    code: str
    shortcut_channels: int | None = None

    def is_safe_channels_last(self, width: float) -> bool:
        """Whether oneDNN trains it rightly on a CPU with channels last, at a factor on its filters.

        The backward pass of a strided 1x1 convolution with fewer input channels than a block writes
        past its memory: it crashes, hangs or gives wrong gradients (oneDNN issue 6035).
        """
        if self.shortcut_channels is None:
            return True
        return round(self.shortcut_channels * width) >= ONEDNN_BLOCK


NETWORKS: dict[str, Network] = {
    "mnist_cnn": Network("advprune.networks.architectures:mnist_cnn"),
    "preact_resnet18": Network("advprune.networks.architectures:preact_resnet18", 64),
    "preact_resnet18_large_stem": Network(
        "advprune.networks.architectures:preact_resnet18_large_stem", 64
    ),
}
