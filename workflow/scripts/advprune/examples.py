"""A data set on a device: images as uint8, made into floats in [0, 1] batch by batch."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from advprune.errors import UserError


@dataclass(frozen=True)
class Examples:
    """Labelled images.

    Attributes:
        images: (n, channels, height, width) uint8.
        labels: (n,) int64.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        """Where the examples are."""
        return self.images.device

    def to(self, device: torch.device) -> "Examples":
        """The same examples on another device."""
        return Examples(self.images.to(device), self.labels.to(device))

    def first(self, count: int | None) -> "Examples":
        """The first ``count`` examples; all of them for None."""
        return Examples(self.images[:count], self.labels[:count])

    def batch(self, which: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Images as float32 in [0, 1], and labels, of the examples that ``which`` indexes."""
        return self.images[which].float() / 255, self.labels[which]


def load_examples(path: str | Path, part: str) -> Examples:
    """Read a part of a data set's file: ``"train"`` or ``"test"``.

    The file is memory-mapped: jobs that run side by side share its pages.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            images = file.get_tensor(f"{part}_images")
            labels = file.get_tensor(f"{part}_labels")
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist") from error
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{path} is damaged ({error}). Make it anew, without starting any run again: "
            f"python3 workflow/scripts/dataset.py {Path(path).stem} --output {path}"
        ) from error
    return Examples(images, labels.long())
