"""The optimiser of a stack: it goes on from those of its networks, and gives back what it did."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from advprune.networks.classifier import Classifier
from advprune.networks.stack import Stack


@contextmanager
def stacked(
    classifiers: Sequence[Classifier],
    optimisers: Sequence[torch.optim.Optimizer],
    build: Callable[[Iterable[Tensor]], torch.optim.Optimizer],
) -> Iterator[tuple[Stack, torch.optim.Optimizer]]:
    """A stack, and the optimiser of its parameters, which goes on from those of the single ones.

    At the block's end the classifiers and their optimisers have what was learned.

    Args:
        classifiers: of one architecture.
        optimisers: that of each; all have taken the same number of steps.
        build: makes an optimiser of parameters.
    """
    stack = Stack(classifiers)
    optimiser = build(stack.parameters)
    _gather(optimiser, optimisers)
    yield stack, optimiser
    stack.write_back()
    _scatter(optimiser, optimisers)


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def _gather(optimiser: torch.optim.Optimizer, singles: Sequence[torch.optim.Optimizer]) -> None:
    """Stack the running means of single optimisers; what is one number is the same in all."""
    for parameter, *same in zip(_parameters(optimiser), *map(_parameters, singles), strict=True):
        known = [single.state[each] for single, each in zip(singles, same, strict=True)]
        for name, value in known[0].items():
            optimiser.state[parameter][name] = (
                torch.stack([of_one[name] for of_one in known])
                if value.shape == same[0].shape
                else value.clone()
            )


def _scatter(optimiser: torch.optim.Optimizer, singles: Sequence[torch.optim.Optimizer]) -> None:
    """The inverse of `_gather`."""
    for parameter, *same in zip(_parameters(optimiser), *map(_parameters, singles), strict=True):
        for place, (single, each) in enumerate(zip(singles, same, strict=True)):
            single.state[each] = {
                name: (value[place] if value.shape == parameter.shape else value).clone()
                for name, value in optimiser.state[parameter].items()
            }
