"""One epoch of Algorithm 1 (lines 24 to 30): a pass over the examples that are kept.

Networks of a stack take it together, each with its own order of examples and its own noise; a
network by itself is a stack of one that is computed by its own layers.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from advprune.data.examples import Examples
from advprune.machine.stopwatch import Stopwatch
from advprune.networks.classifier import Classifier
from advprune.spec.specification import DeepFoolSettings, Numerics, TrainingSpec
from advprune.training.attacks import Threat, cross_entropy, fgsm
from advprune.training.augmentation import crop_and_flip
from advprune.training.deepfool import DeepFoolResult, deepfool
from advprune.training.schedule import cyclic_learning_rate
from advprune.training.stack import stacked
from advprune.training.state import TrainingState, build_optimiser, generator_for

CPU = torch.device("cpu")


@dataclass(frozen=True)
class EpochOutcome:
    """What one pass over the examples that are kept has seen.

    Attributes:
        losses: (n,) the loss of each example as it was trained on, at x + delta and before its
            update: the loss proxy, free. NaN for examples not in the training set any more.
        distances: what DeepFool found of each at that moment, from the image as it was augmented
            and not attacked, in evaluation mode; None if it was not asked to.
        examples: how many were trained on.
        learning_rate: at the last update.
        loss: their mean loss.
        accuracy: the share of them classified rightly, before each update.
    """

    losses: Tensor
    distances: DeepFoolResult | None
    examples: int
    learning_rate: float
    loss: float
    accuracy: float


@dataclass(frozen=True)
class Learner:
    """K networks that take their steps together.

    Attributes:
        model: (K, n, channels, height, width) images to (K, n, classes) logits.
        optimiser: of the parameters of all of them.
        scaler: of their losses.
        write_back: puts what has been learned so far into the networks, where that is elsewhere.
    """

    model: Callable[[Tensor], Tensor]
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    write_back: Callable[[], None] = lambda: None

    def update(self, loss: Tensor, learning_rate: float) -> None:
        """Line 29: one step of the optimiser."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimiser)
        self.scaler.update()


@contextmanager
def learning(
    spec: TrainingSpec, states: Sequence[TrainingState], model: Callable[[Tensor], Tensor]
) -> Iterator[Learner]:
    """The learner of one network, which ``model`` computes, or of a stack of them."""
    if len(states) == 1:

        def alone(images: Tensor) -> Tensor:
            return model(images[0]).unsqueeze(0)

        yield Learner(alone, states[0].optimiser, states[0].scaler)
        return
    networks = [state.classifier for state in states]
    optimisers = [state.optimiser for state in states]
    build = partial(build_optimiser, spec)
    with stacked(networks, optimisers, build) as (stack, optimiser):
        yield Learner(stack, optimiser, states[0].scaler, stack.write_back)


def train_one_epoch(
    specs: Sequence[TrainingSpec],
    states: Sequence[TrainingState],
    model: Callable[[Tensor], Tensor],
    examples: Examples,
    epoch: int,
    stopwatch: Stopwatch,
    measured: DeepFoolSettings | None = None,
) -> list[EpochOutcome]:
    """One pass of K networks over the examples that each has kept.

    Args:
        specs: how each is trained; they differ in the seed alone.
        states: of each; all have kept the same number of examples.
        model: computes the network where there is but one: it, or it compiled.
        examples: the training set, on the device.
        epoch: from 1.
        stopwatch: counts the seconds of DeepFool by themselves.
        measured: how DeepFool measures the distances of each batch before its update; None if not.

    Returns:
        what was seen of each.
    """
    spec, device, count = specs[0], examples.device, len(examples)
    noise = [generator_for(each, "random start", epoch, device) for each in specs]
    crops = [generator_for(each, "augmentation", epoch, device) for each in specs]
    rows = torch.arange(len(specs), device=device).unsqueeze(1)
    losses = torch.full((len(specs), count), torch.nan, device=device)
    correct = torch.zeros(len(specs), dtype=torch.int64, device=device)
    threat = spec.epsilon and Threat(spec.epsilon, spec.step_size)
    distances = [DeepFoolResult.unknown(count, device) for _ in specs] if measured else None

    for state in states:
        state.classifier.train()
    orders = [
        shuffled(state.kept, generator_for(each, "order", epoch, CPU))
        for each, state in zip(specs, states, strict=True)
    ]
    order = torch.stack(orders).to(device)
    batches = split_into_batches(
        order, spec.batch_size, normalised=states[0].classifier.normalises_batches
    )
    with learning(spec, states, model) as learner:
        for batch, which in enumerate(batches, 1):
            learning_rate = cyclic_learning_rate(
                epoch=epoch,
                batch=batch,
                batches=len(batches),
                epochs=spec.epochs,
                maximum=spec.max_learning_rate,
                peak=spec.peak,
            )
            images, labels = examples.batch(which)
            if spec.augment:
                images = each_by_its_own(crop_and_flip, images, crops)
            with autocast(spec.numerics, device):
                attacked = images
                if threat:
                    start = each_by_its_own(threat.random_start, images, noise)
                    attacked = fgsm(learner.model, images, labels, threat=threat, start=start)
                logits = learner.model(attacked)
            each_loss = cross_entropy(logits, labels)
            if measured:
                with stopwatch.time("scoring"):
                    learner.write_back()
                    seen = attacked if measured.points == "adversarial" else images
                    for k, state in enumerate(states):
                        distances[k].put(which[k], deepfool(state.classifier, seen[k], measured))
            learner.update(each_loss.mean(dim=1).sum(), learning_rate)
            losses[rows, which] = each_loss.detach().float()
            correct += (logits.argmax(dim=2) == labels).sum(dim=1)

    return [
        EpochOutcome(
            losses=losses[k],
            distances=distances and distances[k],
            examples=order.shape[1],
            learning_rate=learning_rate,
            loss=losses[k, order[k]].mean().item(),
            accuracy=correct[k].item() / order.shape[1],
        )
        for k in range(len(specs))
    ]


def each_by_its_own(
    draw: Callable[..., Tensor], images: Tensor, generators: Sequence[torch.Generator]
) -> Tensor:
    """Draw for the images of each network by its own generator, as it would by itself."""
    drawn = [
        draw(own, generator=generator) for own, generator in zip(images, generators, strict=True)
    ]
    return torch.stack(drawn) if len(drawn) > 1 else drawn[0].unsqueeze(0)


def split_into_batches(order: Tensor, size: int, *, normalised: bool) -> list[Tensor]:
    """(K, m) to batches of (K, ``size``), the last one smaller.

    Where batches are ``normalised`` the last one is never a single image: batch normalisation has
    no statistics of one value, so that image joins the batch before.
    """
    batches = list(order.split(size, dim=1))
    if normalised and len(batches) > 1 and batches[-1].shape[1] == 1:
        batches[-2:] = [torch.cat(batches[-2:], dim=1)]
    return batches


def shuffled(indices: Tensor, generator: torch.Generator) -> Tensor:
    """``indices`` in random order."""
    return indices[torch.randperm(len(indices), generator=generator)]


def autocast(numerics: Numerics, device: torch.device) -> AbstractContextManager:
    """The context in which forward passes are done in the precision asked for."""
    return torch.autocast(
        device.type,
        dtype=getattr(torch, numerics.precision),
        enabled=numerics.precision != "float32",
    )


def prepare(
    classifier: Classifier, spec: TrainingSpec, examples: Examples
) -> Callable[[Tensor], Tensor]:
    """The network as it is called in training: itself, or compiled; and already warm.

    Compilation, a GPU's start and the trial of its kernels happen at the first calls. These are
    made here, outside the time measured, with batch statistics put back as they were.
    """
    numerics = spec.numerics
    if examples.device.type == "cpu" and not numerics.compile:
        return classifier
    model = torch.compile(classifier, dynamic=True) if numerics.compile else classifier
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    images, _ = examples.batch(slice(0, spec.batch_size))
    with autocast(numerics, examples.device):
        # The attack asks for the images' gradient and the update does not: each is a first call.
        for attacked in (True, False):
            model(images.clone().requires_grad_(attacked)).sum().backward()
    classifier.load_state_dict(before)
    classifier.zero_grad(set_to_none=True)
    return model
