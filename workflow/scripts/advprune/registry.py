"""The networks and attacks that can be named, and where the code of each is.

Importing this module loads no PyTorch: the workflow asks it for names. Code is named as
``module:function``. Data sets and pruning methods have registries of their own, in `datasets` and
`pruning`; docs/extending.md shows how to add to each.
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
    "mnist_cnn": Network("advprune.networks:mnist_cnn"),
    "preact_resnet18": Network("advprune.networks:preact_resnet18", 64),
    "preact_resnet18_large_stem": Network("advprune.networks:preact_resnet18_large_stem", 64),
}


@dataclass(frozen=True)
class Attack:
    """An attack that trained networks are tested with, alone, beside standard AutoAttack.

    Attributes:
        label: its name in figures and tables.
        code: where its function is; what that takes and returns stands at `evaluation.withstand`.
    """

    label: str
    code: str


# The accuracy under each is a column ``<name>_accuracy`` of the table of runs.
ATTACKS: dict[str, Attack] = {
    "apgd_ce_40x5": Attack("APGD-CE 40×5", "advprune.evaluation:apgd_ce_40x5"),
}
