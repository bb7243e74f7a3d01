"""Early stopping as in the authors' released code; the paper does not mention it.

After each epoch the network is attacked on test images by PGD. Training ends when that accuracy
has not risen for a number of epochs, and only then are the best epoch's weights put back. Choosing
by test images makes the accuracy measured on them later a little too high.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from advprune.data.examples import Examples
from advprune.machine.devices import tf32
from advprune.training.attacks import Threat, pgd

VALIDATION_BATCH = 500


@dataclass
class Validation:
    """What early stopping has seen of a run.

    Attributes:
        best_accuracy: the highest share of images withstanding PGD so far.
        best_epoch: the first epoch that reached it; 0 as long as no image has withstood.
        best_weights: the network's weights then; None for epoch 0.
        stopped_epoch: the epoch after which training was ended, or None.
    """

    best_accuracy: float = 0.0
    best_epoch: int = 0
    best_weights: dict[str, Tensor] | None = None
    stopped_epoch: int | None = None

    def note(self, network: nn.Module, *, epoch: int, accuracy: float, patience: int) -> None:
        """Take in an epoch's accuracy; if patience is at its end, put the best weights back."""
        if accuracy > self.best_accuracy:
            self.best_accuracy, self.best_epoch = accuracy, epoch
            self.best_weights = {k: v.clone() for k, v in network.state_dict().items()}
        if epoch - self.best_epoch >= patience:
            self.stopped_epoch = epoch
            if self.best_weights is not None:
                network.load_state_dict(self.best_weights)


@tf32(False)
def robust_share(
    model: nn.Module,
    examples: Examples,
    *,
    epsilon: float,
    steps: int,
    generator: torch.Generator,
) -> float:
    """The share of images, in [0, 1], that PGD with steps of epsilon / steps does not break.

    The model is put in evaluation mode and left there.
    """
    model.eval()
    threat = Threat(epsilon, epsilon / steps)
    right = 0
    for first in range(0, len(examples), VALIDATION_BATCH):
        images, labels = examples.batch(slice(first, first + VALIDATION_BATCH))
        attacked = pgd(model, images, labels, threat=threat, steps=steps, generator=generator)
        with torch.no_grad():
            right += int((model(attacked).argmax(dim=1) == labels).sum())
    return right / len(examples)
