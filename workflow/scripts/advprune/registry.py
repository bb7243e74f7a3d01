"""The networks and attacks that can be named, and where the code of each is.

Importing this module loads no PyTorch: the workflow asks it for names. Code is named as
``module:function``. Data sets and pruning methods have registries of their own, in `datasets` and
`pruning`; docs/extending.md shows how to add to each.
"""

from dataclasses import dataclass

# Each function takes ``channels``, ``size`` (height and width), ``classes`` and ``width`` by
# keyword, and returns an nn.Module from (n, channels, size, size) images to (n, classes) logits.
NETWORKS: dict[str, str] = {
    "mnist_cnn": "advprune.networks:mnist_cnn",
    "preact_resnet18": "advprune.networks:preact_resnet18",
    "preact_resnet18_large_stem": "advprune.networks:preact_resnet18_large_stem",
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
