"""APGD on the cross-entropy for the networks of a stack at once.

A batch holds images of all of them. The attack is pyautoattack's, row by row what it does to a
network alone; what is done here instead of there is the loop over restarts, since each network's
rows drop out, and its random starts are drawn, as they would be by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from pyautoattack.autopgd_base import APGDAttack
from torch import Tensor

from advprune.evaluation.autoattack import FiniteLogits, build_autoattack
from advprune.networks.classifier import Classifier
from advprune.networks.stack import Stack
from advprune.spec.specification import EvaluationSpec

MOST_ROWS = 100_000  # at once: of MNIST's network, that takes about 10 GB


class RowsOfNetworks(torch.nn.Module):
    """Logits of images that belong to several networks.

    Args:
        stack: computes the networks.
        network: (n,) int64, whose each image is; sorted.
    """

    def __init__(self, stack: Stack, network: Tensor) -> None:
        super().__init__()
        self._stack, self._network = stack, network
        counts = torch.bincount(network, minlength=len(stack))
        first = counts.cumsum(0) - counts
        self._place = torch.arange(len(network), device=network.device) - first[network]
        self._most = int(counts.max())

    def forward(self, images: Tensor) -> Tensor:
        """(n, channels, height, width) images to (n, classes) logits."""
        filled = images.new_zeros(len(self._stack), self._most, *images.shape[1:])
        filled = filled.index_put((self._network, self._place), images)
        return self._stack(filled)[self._network, self._place]


@dataclass
class Portion:
    """A batch of one network's images, as the attack is given it where the network is alone.

    Attributes:
        network: its place in the stack.
        which: (b,) int64, which images.
        standing: (b,) bool, which of them no restart has broken.
        attacked: (b, channels, height, width), what has become of them.
        generator: draws their random starts.
    """

    network: int
    which: Tensor
    standing: Tensor
    attacked: Tensor
    generator: torch.Generator


def apgd_ce_together(
    classifiers: Sequence[Classifier],
    images: Tensor,
    labels: Tensor,
    standing: Tensor,
    spec: EvaluationSpec,
    *,
    steps: int,
    restarts: int,
) -> Tensor:
    """(k, m) bool: what `single_attacks.withstand` finds of each network under ``apgd_ce``.

    Args:
        classifiers: the k networks, in evaluation mode.
        images: (m, channels, height, width), values in [0, 1].
        labels: (m,).
        standing: (k, m) bool, which images each network classifies rightly.
        spec: the bound, the seed and how many images a network's batch has.
        steps: of the attack.
        restarts: likewise.
    """
    portions = [
        Portion(
            network,
            which,
            torch.ones_like(which, dtype=torch.bool),
            images[which],
            torch.Generator().manual_seed(spec.seed),
        )
        for network, of_one in enumerate(standing)
        for which in of_one.nonzero().flatten().split(spec.batch_size)
        if len(which)
    ]
    stack = Stack(classifiers)
    attack = build_autoattack(classifiers[0], spec, images).apgd
    attack.n_iter, attack.loss = steps, "ce"
    attack.init_hyperparam(images)
    at_once = max(1, MOST_ROWS // spec.batch_size)
    for first in range(0, len(portions), at_once):
        for _ in range(restarts):
            some = portions[first : first + at_once]
            if left := [portion for portion in some if portion.standing.any()]:
                _restart(attack, stack, left, images, labels)
    still = standing.clone()
    for portion in portions:
        with torch.no_grad():
            found = FiniteLogits(classifiers[portion.network])(portion.attacked).argmax(dim=1)
        still[portion.network, portion.which] = found == labels[portion.which]
    return still


def _restart(
    attack: APGDAttack, stack: Stack, left: Sequence[Portion], images: Tensor, labels: Tensor
) -> None:
    """Attack once what still stands, from new random starts."""
    rows = [portion.which[portion.standing] for portion in left]
    network = torch.cat(
        [torch.full_like(row, portion.network) for row, portion in zip(rows, left, strict=True)]
    )
    clean = images[torch.cat(rows)]
    # On the CPU, as the attack itself does.
    drawn = torch.cat(
        [
            torch.rand(len(row), *images.shape[1:], generator=portion.generator)
            for row, portion in zip(rows, left, strict=True)
        ]
    )
    start = clean + attack.eps * attack.normalize(2 * drawn.to(images) - 1)
    attack.model = FiniteLogits(RowsOfNetworks(stack, network))
    with torch.random.fork_rng(devices=[images.device] if images.is_cuda else []):
        _, stands, _, attacked = attack.attack_single_run(
            clean, labels[torch.cat(rows)], x_init=start
        )
    sizes = [len(row) for row in rows]
    for portion, stood, moved in zip(
        left, stands.bool().split(sizes), attacked.split(sizes), strict=True
    ):
        broken = portion.standing.nonzero().flatten()[~stood]
        portion.attacked[broken] = moved[~stood]
        portion.standing[broken] = False
