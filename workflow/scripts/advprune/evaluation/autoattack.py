"""Standard AutoAttack (Croce and Hein 2020), attack by attack, by the package pyautoattack."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from pyautoattack import AutoAttack
from torch import Tensor, nn

from advprune.spec.specification import EvaluationSpec


class FiniteLogits(nn.Module):
    """Zeroes the logits of a network that gives none that are finite.

    A run that diverged gives NaN, which attacks cannot digest. Such images count as misclassified
    (see `predict`), so they are never handed to an attack; this guards the attacks' own checks.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Logits, all finite."""
        return torch.nan_to_num(self.model(images))


def build_autoattack(model: nn.Module, spec: EvaluationSpec, device: torch.device) -> AutoAttack:
    """AutoAttack on a network, as the specification has it set up."""
    return AutoAttack(
        FiniteLogits(model).eval(),
        device=device,
        eps=spec.epsilon,
        norm="Linf",
        seed=spec.seed,
        version=spec.autoattack.version,
    )


def survivors(
    adversary: AutoAttack,
    attack: str,
    images: Tensor,
    labels: Tensor,
    standing: Tensor,
    batch_size: int,
) -> Tensor:
    """(m,) bool: which of the images that stand still stand after one more attack.

    AutoAttack hands to each attack, in batches, the images that have withstood those before; so
    calling it attack by attack on what stands gives what calling it once gives.
    """
    if not standing.any():
        return standing
    adversary.attacks_to_run = [attack]
    with tracing_kept():
        _, after = adversary.run_standard_evaluation(
            images[standing], labels[standing], batch_size=batch_size
        )
    still = standing.clone()
    still[standing] = after == labels[standing]
    return still


@contextmanager
def tracing_kept() -> Iterator[None]:
    """Keep a debugger or coverage, which one of AutoAttack's checks switches off."""
    tracing = sys.gettrace()
    try:
        yield
    finally:
        sys.settrace(tracing)
