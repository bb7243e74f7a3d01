"""A data set on a device: images as uint8, made into floats in [0, 1] batch by batch."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import Tensor

from advprune.data.sources import Arrays
from advprune.errors import UserError
from advprune.storage.files import array_digest
from advprune.storage.tensors import atomic_write_tensors

FILE_TIME = 946_684_800  # 2000-01-01


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

    def take(self, which: Tensor) -> "Examples":
        """The examples that ``which``, (m,) int64, indexes, in its order."""
        return Examples(self.images[which], self.labels[which])

    def batch(self, which: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Images as float32 in [0, 1], and labels, of the examples that ``which`` indexes."""
        return self.images[which].float() / 255, self.labels[which]


def save_examples(path: str | Path, dataset: str, arrays: Arrays) -> None:
    """Write a data set's arrays, each with its digest, and its name as one file."""
    # safetensors would write a view's memory as it lies, in another order than its values.
    arrays = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    digests = {name: array_digest(values) for name, values in sorted(arrays.items())}
    with atomic_write_tensors(path) as temporary:
        # One entry: the file format keeps no order among several, and would not be reproducible.
        about = json.dumps({"name": dataset, "sha256": digests})
        save_file(arrays, temporary, metadata={"dataset": about})
        # The same contents at any time: made again, it must not look newer than its runs.
        os.utime(temporary, (FILE_TIME, FILE_TIME))


def load_examples(path: str | Path, dataset: str, part: str) -> Examples:
    """Read a part of a data set's file: ``"train"`` or ``"test"``.

    The file is memory-mapped: jobs that run side by side share its pages.

    What is read is compared with the digests that `save_examples` has put into the file.

    Raises:
        UserError: the file is missing, damaged or another data set's.
    """
    names = [f"{part}_images", f"{part}_labels"]
    try:
        with safe_open(path, framework="pt") as file:
            images, labels = (file.get_tensor(name) for name in names)
            about = json.loads((file.metadata() or {}).get("dataset", "{}"))
        for name, values in zip(names, (images, labels), strict=True):
            if array_digest(values.numpy()) != about.get("sha256", {}).get(name):
                raise ValueError(f"{name} are not what was saved")
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(
            f"{path} is damaged ({error}). Make it anew, without starting any run again: "
            f"python3 workflow/scripts/dataset.py {dataset} --output {path}"
        ) from error
    if about.get("name") != dataset:
        raise UserError(
            f"{path} is the file of the data set {about.get('name')}, not of {dataset}: give the "
            f"file of {dataset}, or delete this one if it lies in its place and run again"
        )
    return Examples(images, labels.long())
