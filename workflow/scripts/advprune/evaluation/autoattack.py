"""Standard AutoAttack (Croce and Hein 2020), attack by attack, by the package pyautoattack."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from pyautoattack import AutoAttack
from pyautoattack.checks import check_square_sr
from torch import Tensor, nn

from advprune.spec.specification import EvaluationSpec

LOG = logging.getLogger("auto-attack")  # the package's own


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


def build_autoattack(model: nn.Module, spec: EvaluationSpec, images: Tensor) -> AutoAttack:
    """AutoAttack on a network, as the specification has it set up.

    Args:
        model: maps images to logits.
        spec: the bound, the seed and what AutoAttack is told.
        images: one or more of those that will be attacked: they tell the device and, by the
            network's logits, the classes.
    """
    model = FiniteLogits(model).eval()
    adversary = AutoAttack(
        model,
        device=images.device,
        eps=spec.epsilon,
        norm="Linf",
        seed=spec.seed,
        version=spec.autoattack.version,
    )
    with torch.no_grad():
        classes = model(images[:1]).shape[1]
    # The standard version's nine targets, or all other classes where there are fewer.
    for attack in (adversary.apgd_targeted, adversary.fab):
        attack.n_target_classes = min(attack.n_target_classes, classes - 1)
    return adversary


class _Listener(logging.Handler):
    """Keeps what AutoAttack warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message once."""
        message = record.getMessage()
        if message not in self.messages:
            self.messages.append(message)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Within the block, gather what AutoAttack warns of, each message once."""
    listener = _Listener()
    LOG.addHandler(listener)
    try:
        yield listener.messages
    finally:
        LOG.removeHandler(listener)


def check_square(robust_after: Mapping[str, Tensor], correct: Tensor) -> list[str]:
    """AutoAttack's own warning that Square found what the attacks with gradients did not.

    It looks back over all attacks of one call, so it is silent where they are called one by one.

    Args:
        robust_after: attack to (m,) bool, as in `outcome.Evaluation`.
        correct: (m,) bool, the images classified rightly before any attack.
    """
    shares = {name: still.float().mean().item() for name, still in robust_after.items()}
    with listening() as messages:
        check_square_sr({"clean": correct.float().mean().item(), **shares}, logger=LOG)
    return messages


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
