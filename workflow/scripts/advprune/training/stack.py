"""K networks of one architecture computed as one: a matrix product a layer for all of them.

A small network keeps a GPU waiting for the next kernel; a stack of them gives each kernel K times
the work. Layers carry the networks as their first dimension and the examples as their last, so that
a convolution is one product of matrices for all: grouped convolutions, the other way to write this,
are slow in training (PyTorch issues 70954 and 73764).

A network can be stacked if it is a sequence of layers that `LAYERS` knows.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from advprune.networks.classifier import Classifier, Normalise


class Windows(torch.autograd.Function):
    """What a convolution's kernel sees at each of its places (im2col), the examples last.

    PyTorch's own (`nn.functional.unfold`) has the examples first, and each network's weights would
    then be multiplied by a matrix laid out against the grain.
    """

    @staticmethod
    def forward(
        ctx: Any, padded: Tensor, kernel: tuple[int, int], stride: tuple[int, int]
    ) -> Tensor:
        """(k, channels, height, width, n) to (k, channels, a, b, rows, columns, n).

        The kernel's shape is (a, b); it is put at (rows, columns) places.
        """
        ctx.shape, ctx.kernel, ctx.stride = padded.shape, kernel, stride
        seen = padded.unfold(2, kernel[0], stride[0]).unfold(3, kernel[1], stride[1])
        return seen.permute(0, 1, 5, 6, 2, 3, 4).contiguous()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """The sum of the gradients of all places at which a value was seen."""
        total = gradient.new_zeros(ctx.shape)
        (down, along), (rows, columns) = ctx.stride, gradient.shape[4:6]
        for a in range(ctx.kernel[0]):
            for b in range(ctx.kernel[1]):
                total[:, :, a : a + rows * down : down, b : b + columns * along : along] += (
                    gradient[:, :, a, b]
                )
        return total, None, None


def _product(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """(k, inputs, n), (k, outputs, inputs) and (k, outputs) to (k, outputs, n)."""
    if bias is None:
        return torch.bmm(weight, hidden)
    return torch.baddbmm(bias.unsqueeze(2), weight, hidden)


def _convolution(
    layer: nn.Conv2d, hidden: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    down, along = layer.padding
    padded = functional.pad(hidden, (0, 0, along, along, down, down))
    seen = Windows.apply(padded, layer.kernel_size, layer.stride)
    rows, columns, n = seen.shape[4:]
    made = _product(seen.flatten(1, 3).flatten(2), weight.flatten(2), bias)
    return made.unflatten(2, (rows, columns, n))


def _linear(_: nn.Linear, hidden: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return _product(hidden, weight, bias)


# What a kind of layer does to (k, channels, height, width, n) or (k, features, n), with the
# parameters of K such layers, each with K as its first dimension. To stack a network with another
# kind of layer, enter it here.
LAYERS: dict[type[nn.Module], Callable[..., Tensor]] = {
    nn.Conv2d: _convolution,
    nn.Linear: _linear,
    nn.ReLU: lambda layer, hidden: hidden.relu(),
    nn.Flatten: lambda layer, hidden: hidden.flatten(1, -2),
    nn.Identity: lambda layer, hidden: hidden,
    Normalise: lambda layer, hidden: (
        (hidden - layer.mean.unsqueeze(-1)) / layer.standard_deviation.unsqueeze(-1)
    ),
}


def can_be_stacked(classifier: Classifier) -> bool:
    """Whether a network is a sequence of layers that `LAYERS` has."""
    return isinstance(classifier.network, nn.Sequential) and all(
        type(layer) in LAYERS
        and (
            not isinstance(layer, nn.Conv2d)
            or (layer.groups == 1 and layer.dilation == (1, 1) and layer.padding_mode == "zeros")
        )
        for layer in classifier.network
    )


class Stack:
    """K classifiers that are computed, and learn, together.

    Attributes:
        parameters: of the networks, each with K as its first dimension, in the order in which a
            single network has them.
    """

    def __init__(self, classifiers: Sequence[Classifier]) -> None:
        self._classifiers = classifiers
        self.parameters = [
            torch.stack([each.detach() for each in same]).requires_grad_()
            for same in zip(*(each.parameters() for each in classifiers), strict=True)
        ]

    def __call__(self, images: Tensor) -> Tensor:
        """(k, n, channels, height, width) images to (k, n, classes) logits."""
        classifier = self._classifiers[0]
        hidden = images.permute(0, 2, 3, 4, 1)
        parameters = iter(self.parameters)
        for layer in (classifier.normalise, *classifier.network):
            own = {name: next(parameters) for name, _ in layer.named_parameters()}
            hidden = LAYERS[type(layer)](layer, hidden, **own)
        return hidden.transpose(1, 2)

    @torch.no_grad()
    def write_back(self) -> None:
        """Put what the stack has learned into its classifiers."""
        for place, classifier in enumerate(self._classifiers):
            for parameter, stacked in zip(classifier.parameters(), self.parameters, strict=True):
                parameter.copy_(stacked[place])


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
