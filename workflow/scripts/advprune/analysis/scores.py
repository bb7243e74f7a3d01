"""The scores of every example of a study: loss and distance after an epoch (section 4.3)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from advprune.plan.blocks import scored_start
from advprune.plan.config import Config
from advprune.plan.specify import start_spec
from advprune.storage.records import check_files, check_spec, read_record


@dataclass(frozen=True)
class Scores:
    """What was recorded of every training example, and the network that it was recorded of.

    Attributes:
        label: (n,) the classes.
        loss: (n,) the cross-entropy at x + delta.
        distance: (n,) by DeepFool.
        converged: (n,) 1 where DeepFool reached another class, else 0.
        iterations: (n,) how many steps it took.
        model: the file of the network's weights.
    """

    label: np.ndarray
    loss: np.ndarray
    distance: np.ndarray
    converged: np.ndarray
    iterations: np.ndarray
    model: Path

    def frame(self, study: str) -> pd.DataFrame:
        """A row an example, with 1/d as ``inverse_distance``."""
        names = ("label", "loss", "distance", "converged", "iterations")
        with np.errstate(divide="ignore"):
            inverse = 1 / self.distance
        columns = {name: getattr(self, name) for name in names}
        return pd.DataFrame(columns).assign(inverse_distance=inverse, study=study)


def read_scores(folder: Path, study: str, seed: int, config: Config) -> Scores:
    """Read the scores of a study's examples by one seed, if they are what the config asks for.

    Args:
        folder: of the start, with ``scores.safetensors``, ``model.safetensors``, ``start.json``.
        study: a name in ``config["studies"]``.
        seed: of the runs that begin so.
        config: the config that they must have been made with.

    Raises:
        UserError: they are missing, damaged, or were made with another specification.
    """
    record = read_record(folder / "start.json")
    wanted = start_spec(scored_start(study, seed, config), config)
    check_spec(folder / "start.json", record, wanted.to_dict())
    check_files(folder / "start.json", record)
    tensors = load_file(folder / "scores.safetensors")
    settings = config["studies"][study]["scores"]
    taken = settings["deepfool_taken"]
    return Scores(
        label=tensors["label"],
        loss=tensors[f"loss.{settings['loss_taken']}"],
        **{name: tensors[f"{name}.{taken}"] for name in ("distance", "converged", "iterations")},
        model=folder / "model.safetensors",
    )
