"""Weights, batch statistics and images by a formula, the same for any spelling of a network.

A tensor's numbers depend on what it is (a convolution's weight, a batch normalisation's running
variance, ...), on its shape, and on how many modules of its kind and shape are defined before its
own; names and the order of other modules do not enter. Where several modules are of one kind and
shape, they count in the order in which they are defined: blocks from the input on, and in a block
the first and the second batch normalisation, then the shortcut's.
"""

import math
from collections import Counter

import torch
from torch import Tensor, nn

KINDS = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)
# What a number is, to the centre and half-width of the interval that it is in. The weights of
# layers are in one about 0 that keeps the size of what goes through them.
INTERVALS = {
    "bias": (0.0, 0.5),
    "running_mean": (0.0, 0.5),
    "running_var": (1.0, 0.5),
    "scale": (1.0, 0.5),
}


def uniform(shape, stream):
    """Numbers in [-1, 1), float64, exactly the same everywhere: integers are mixed, then scaled."""
    mixed = torch.arange(1, math.prod(shape) + 1) * 2_654_435_761 + stream * 97_531
    for shift, factor in ((15, 1_103_515_245), (13, 1_664_525_001), (16, 1)):
        mixed = mixed % 2**32
        mixed = (mixed ^ (mixed >> shift)) * factor
    return (mixed % 2**32).to(torch.float64).view(shape) / 2**31 - 1


def stream_of(*key):
    """A number for a key of integers and words."""
    stream = 17
    for letter in "/".join(map(str, key)):
        stream = (stream * 31 + ord(letter)) % 1_000_003
    return stream


@torch.no_grad()
def fill(network: nn.Module) -> nn.Module:
    """Make a network float64 and fill it by the formula; batch counters are set to 0."""
    network.double()
    before: Counter = Counter()
    filled = 0
    for module in network.modules():
        kind = next((kind for kind in KINDS if isinstance(module, kind)), None)
        if kind is None:
            continue
        shape = tuple(module.weight.shape)
        for role, value in (*module.named_parameters(), *module.named_buffers()):
            if role == "num_batches_tracked":
                value.zero_()
                continue
            if role == "weight" and kind is not nn.BatchNorm2d:
                centre, half = 0.0, math.sqrt(6 / math.prod(shape[1:]))
            else:
                centre, half = INTERVALS["scale" if role == "weight" else role]
            stream = stream_of(kind.__name__, shape, before[kind, shape], role)
            value.copy_(centre + half * uniform(value.shape, stream))
            filled += 1
        before[kind, shape] += 1
    counters = sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    assert filled + counters == len(network.state_dict()), "something was not filled"
    return network


def images(count, channels, size):
    """Images with values in [0, 1), float64."""
    shape = (count, channels, size, size)
    return (uniform(shape, stream_of("images", shape)) + 1) / 2


@torch.no_grad()
def logits_in_turn(network: nn.Module, batch: Tensor) -> dict[str, list[list[float]]]:
    """Logits in evaluation mode, then with the batch's statistics, then with what those left."""
    found = {}
    for turn, training in (("eval", False), ("train", True), ("eval_after_train", False)):
        found[turn] = network.train(training)(batch).tolist()
    return found
