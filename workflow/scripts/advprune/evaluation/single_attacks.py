"""Attacks that are run alone, beside standard AutoAttack; `spec.attacks` names them.

"AutoAttack" in the paper is, in the code that its authors released, APGD-CE alone with 40 steps
and 5 restarts: an upper bound of the accuracy under the standard AutoAttack.
"""

import pkgutil

import torch
from torch import Tensor, nn

from advprune.evaluation.autoattack import FiniteLogits, build_autoattack, tracing_kept
from advprune.spec.attacks import ATTACKS
from advprune.spec.specification import EvaluationSpec

ROUNDING = 1e-5  # what floating point may add to the length of a step


def withstand(
    name: str,
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    standing: Tensor,
    spec: EvaluationSpec,
) -> Tensor:
    """(m,) bool: which of the images that stand still stand after one attack of `ATTACKS`.

    The attack's function is given the model, which gives finite logits, a batch of images in [0, 1]
    and their labels, all of them classified rightly, the specification, whose epsilon bounds it in
    the l-infinity norm, and its own settings by keyword. It returns attacked images; it may draw
    from PyTorch's global generator, which is seeded for each batch.

    Raises:
        ValueError: the attacked images are out of bounds.
    """
    if not standing.any():
        return standing
    attack = pkgutil.resolve_name(ATTACKS[name].code)
    model = FiniteLogits(model).eval()
    still = standing.clone()
    for batch in standing.nonzero().flatten().split(spec.batch_size):
        with torch.random.fork_rng(devices=[images.device] if images.is_cuda else []):
            torch.manual_seed(spec.seed)
            attacked = attack(model, images[batch], labels[batch], spec, **spec.attacks[name])
        _check_bounds(name, attacked, images[batch], spec.epsilon)
        with torch.no_grad():
            still[batch] = model(attacked).argmax(dim=1) == labels[batch]
    return still


def _check_bounds(name: str, attacked: Tensor, images: Tensor, epsilon: float) -> None:
    farthest = (attacked - images).abs().max().item()
    # Written so that NaN is refused too.
    if not (farthest <= epsilon + ROUNDING and attacked.min() >= 0 and attacked.max() <= 1):
        raise ValueError(
            f"the attack {name} moved a value by {farthest:.6f} where {epsilon:.6f} is allowed, or "
            "out of [0, 1]"
        )


def apgd_ce(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    spec: EvaluationSpec,
    *,
    steps: int,
    restarts: int,
) -> Tensor:
    """APGD on the cross-entropy, as in the released code; see `withstand`."""
    adversary = build_autoattack(model, spec, images)
    # Set after construction, the step-size checkpoints stay those of 100 iterations: as released.
    adversary.apgd.n_iter, adversary.apgd.n_restarts = steps, restarts
    adversary.attacks_to_run = ["apgd-ce"]
    with tracing_kept():
        attacked, _ = adversary.run_standard_evaluation(images, labels, batch_size=len(images))
    return attacked
