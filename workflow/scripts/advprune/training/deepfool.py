"""DeepFool's estimate of the distance to the decision boundary (section 3.2, equation 1)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from advprune.machine.devices import tf32
from advprune.spec.specification import DeepFoolSettings


@dataclass(frozen=True)
class DeepFoolResult:
    """What `deepfool` found for each of n images.

    Attributes:
        distance: (n,) float32, the l2 norm of the summed perturbation, without the overshoot.
            Where ``converged`` is false it is 0 or the length walked without leaving the class, and
            infinite where the network's logits do not depend on the image, see `deepfool`.
        converged: (n,) bool, whether the predicted class changed within the iterations allowed.
        iterations: (n,) int64, how many steps were taken.
    """

    distance: Tensor
    converged: Tensor
    iterations: Tensor

    @classmethod
    def unknown(cls, count: int, device: torch.device) -> "DeepFoolResult":
        """Of images that have not been measured: NaN, false and 0."""
        return cls(
            distance=torch.full((count,), torch.nan, device=device),
            converged=torch.zeros(count, dtype=torch.bool, device=device),
            iterations=torch.zeros(count, dtype=torch.int64, device=device),
        )

    def put(self, which: Tensor, found: "DeepFoolResult") -> None:
        """Fill in what was found of the images that ``which`` indexes."""
        for name, values in vars(found).items():
            getattr(self, name)[which] = values


@tf32(False)
def deepfool(model: nn.Module, images: Tensor, settings: DeepFoolSettings) -> DeepFoolResult:
    """The distance from each image to the boundary of its predicted class.

    The model is put in evaluation mode, so that images do not influence each other through batch
    normalisation, and back in its own mode afterwards. Images whose class has changed leave the
    batch; the others go on.

    Args:
        model: maps images to logits.
        images: (n, channels, height, width).
        settings: how many steps an image may take; how far past the linear estimate ``r`` it is
            tested, at ``x + (1 + overshoot) * r``; whether the other class (l-hat) is chosen once,
            as in the paper, or anew at every step, as in the reference implementation and the
            authors' code; and what is the distance of an image whose class did not change: the
            ``"length_walked"``, infinite where not one step could be taken since all logits are
            locally constant; or as in the authors' code ``"zero"``, the nearest of all, but
            infinite where they are constant at any step and the class is not the first.
    """
    was_training = model.training
    model.eval()
    try:
        with torch.enable_grad():
            return _deepfool(model, images.detach(), settings)
    finally:
        model.train(was_training)


def _deepfool(model: nn.Module, images: Tensor, settings: DeepFoolSettings) -> DeepFoolResult:
    overshoot = settings.overshoot
    count = len(images)
    device = images.device
    perturbation = torch.zeros_like(images)
    converged = torch.zeros(count, dtype=torch.bool, device=device)
    stationary = torch.zeros(count, dtype=torch.bool, device=device)
    iterations = torch.zeros(count, dtype=torch.int64, device=device)
    with torch.no_grad():
        predicted = model(images).argmax(dim=1)
    target = torch.empty_like(predicted)

    active = torch.arange(count, device=device)
    for iteration in range(settings.max_iterations):
        point = images[active] + (1 + overshoot) * perturbation[active]
        own = predicted[active]
        if settings.fixed_target and iteration > 0:
            gap, normal = _gap_to_class(model, point, own, target[active])
        else:
            gap, normal, target[active] = _gap_to_nearest_class(model, point, own)
        squared = normal.flatten(1).square().sum(dim=1)
        moves = squared > 0
        stationary[active] = ~moves
        # Equation 1; the gap is f_k - f_l, at least 0 as long as the class has not changed.
        step = (gap.abs() / squared).view(-1, 1, 1, 1) * normal
        step = step.where(moves.view(-1, 1, 1, 1), 0)
        perturbation[active] += step
        iterations[active] += 1

        with torch.no_grad():
            moved = images[active] + (1 + overshoot) * perturbation[active]
            # A gap of 0 is a point on the boundary itself: no step leads off it.
            done = (model(moved).argmax(dim=1) != own) | ((gap == 0) & moves)
        converged[active] = done
        active = active[~done & moves]
        if len(active) == 0:
            break

    distance = perturbation.flatten(1).norm(dim=1)
    stuck = stationary & ~converged
    if settings.unconverged == "zero":
        # The released code divides 0 by 0 where an image is stuck, but for class 0, with which its
        # search begins; sorting then takes NaN for the farthest.
        distance = distance.where(converged, 0).masked_fill(stuck & (predicted != 0), torch.inf)
    else:
        distance = distance.masked_fill(stuck & (iterations == 1), torch.inf)
    return DeepFoolResult(distance=distance, converged=converged, iterations=iterations)


def _gap_to_class(
    model: nn.Module, point: Tensor, own: Tensor, target: Tensor
) -> tuple[Tensor, Tensor]:
    """f_own - f_target, (n,), and the gradient of f_target - f_own, shaped like ``point``."""
    point = point.requires_grad_()
    logits = model(point)
    difference = _pick(logits, target) - _pick(logits, own)
    (normal,) = torch.autograd.grad(difference.sum(), point)
    return -difference.detach(), normal


def _gap_to_nearest_class(
    model: nn.Module, point: Tensor, own: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The same to the class whose boundary is nearest by the linear estimate, and that class."""
    point = point.requires_grad_()
    logits = model(point)
    classes = logits.shape[1]
    own_logit = _pick(logits, own)
    best_ratio = torch.full_like(own_logit, torch.inf).detach()
    best_gap = torch.zeros_like(best_ratio)
    best_normal = torch.zeros_like(point)
    best_class = torch.zeros_like(own)
    for other in range(classes):
        difference = logits[:, other] - own_logit
        (normal,) = torch.autograd.grad(difference.sum(), point, retain_graph=other < classes - 1)
        gap = -difference.detach()
        ratio = gap.abs() / normal.flatten(1).norm(dim=1)
        # The own class gives 0/0, a class with the same gradient x/0: neither can be the nearest.
        nearer = (ratio < best_ratio) & (own != other)
        best_ratio = ratio.where(nearer, best_ratio)
        best_gap = gap.where(nearer, best_gap)
        best_normal = normal.where(nearer.view(-1, 1, 1, 1), best_normal)
        best_class = torch.where(nearer, other, best_class)
    return best_gap, best_normal, best_class


def _pick(logits: Tensor, classes: Tensor) -> Tensor:
    return logits.gather(1, classes.unsqueeze(1)).squeeze(1)
