"""RS+FGSM, the attack that the networks are trained against (Algorithm 1, lines 26 to 29)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Threat:
    """An adversary bounded in the l-infinity norm, on images with values in [0, 1].

    Attributes:
        epsilon: the bound on the perturbation of each value.
        step_size: the length of the one gradient step (alpha in the paper).
    """

    epsilon: float
    step_size: float

    def random_start(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """A perturbation drawn uniformly from the epsilon-ball (line 26), one for each image."""
        start = torch.empty_like(images)
        return start.uniform_(-self.epsilon, self.epsilon, generator=generator)

    def project(self, perturbation: Tensor, images: Tensor) -> Tensor:
        """The nearest perturbation inside the epsilon-ball that leaves the image in [0, 1].

        The paper clips to the ball alone (line 28). An image with values outside [0, 1] is no
        image, so, as in Wong et al. (2020), the result is clipped to the image's range too.
        """
        inside = perturbation.clamp(-self.epsilon, self.epsilon)
        return (images + inside).clamp(0, 1) - images


def rs_fgsm(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    threat: Threat,
    generator: torch.Generator,
) -> Tensor:
    """Adversarial images by one gradient step from a random start (lines 26 to 28).

    The model is used in the mode it is in, which in training is the training mode.

    Args:
        model: maps images to logits.
        images: (n, channels, height, width), values in [0, 1].
        labels: (n,), class indices.
        threat: the bound and the step size.
        generator: draws the random start, on the images' device.

    Returns:
        Images of the same shape, in [0, 1], at most epsilon from ``images`` in every value.
    """
    start = threat.random_start(images, generator)
    return fgsm(model, images, labels, threat=threat, start=start)


def fgsm(
    model: Callable[[Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    *,
    threat: Threat,
    start: Tensor,
) -> Tensor:
    """The step of `rs_fgsm` from a start that has been drawn already.

    Images, labels and logits may have the networks of a stack as a dimension before the others.
    """
    start = start.requires_grad_()
    # The sum, not the mean: the sign is the same and half precision underflows less.
    loss = cross_entropy(model(images + start), labels).sum()
    (gradient,) = torch.autograd.grad(loss, start)
    perturbation = start.detach() + threat.step_size * gradient.sign()
    # Adding and clamping again rounds away what is left of floating-point error at the edges.
    return (images + threat.project(perturbation, images)).clamp(0, 1)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss of each example: (..., classes) and (...) to (...), in float32 or wider."""
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    of_each = functional.cross_entropy(wide.flatten(0, -2), labels.flatten(), reduction="none")
    return of_each.view_as(labels)


def pgd(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    threat: Threat,
    steps: int,
    generator: torch.Generator,
) -> Tensor:
    """Adversarial images by several gradient steps from a random start (Madry et al. 2018).

    As in the authors' released code, which stops training by it, the perturbation stays in the
    epsilon-ball at every step, and the image is clipped to [0, 1] once, at the end. Arguments and
    result are those of `rs_fgsm`.
    """
    perturbation = threat.random_start(images, generator)
    for _ in range(steps):
        perturbation.requires_grad_()
        loss = functional.cross_entropy(model(images + perturbation), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, perturbation)
        moved = perturbation.detach() + threat.step_size * gradient.sign()
        perturbation = moved.clamp(-threat.epsilon, threat.epsilon)
    return (images + perturbation).clamp(0, 1)
