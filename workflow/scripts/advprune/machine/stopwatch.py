"""Seconds by phase: of a GPU when it has really finished, of a CPU those that it worked."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def clock(device: torch.device) -> float:
    """Seconds so far, of which a difference is what work took.

    On a GPU, which is handed work and goes on alone, when it has finished. On a CPU what its
    threads worked: other work beside it, or a pause, does not count.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time() / torch.get_num_threads()


class Stopwatch:
    """Adds up the seconds spent in named phases. A phase within another one interrupts it.

    Attributes:
        seconds: phase to seconds so far.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._running: list[str] = []
        self._since = 0.0
        self.seconds: dict[str, float] = {}

    @contextmanager
    def time(self, phase: str, elsewhere: float = 0.0) -> Iterator[None]:
        """Count the block's duration, less that of phases within it, towards ``phase``.

        Args:
            phase: its name.
            elsewhere: seconds that a part of its work took which was done before, elsewhere.
        """
        self._count()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + elsewhere
        self._running.append(phase)
        yield
        self._count()
        self._running.pop()

    def add(self, other: "Stopwatch", share: float = 1.0) -> None:
        """Count a share of what another stopwatch has measured."""
        for phase, seconds in other.seconds.items():
            self.seconds[phase] = self.seconds.get(phase, 0.0) + share * seconds

    def _count(self) -> None:
        """Give the time since the last change to the phase that runs, if one does."""
        now = clock(self._device)
        if self._running:
            phase = self._running[-1]
            self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._since
        self._since = now
