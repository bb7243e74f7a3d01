"""Scores of a study's examples, made by hand."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from advprune.analysis.scores import Scores
from advprune.plan.blocks import scored_start
from advprune.plan.config import Config
from advprune.plan.specify import start_spec
from advprune.storage.records import write_record


def scores_of(
    labels: Sequence[int],
    loss: Sequence[float],
    distance: Sequence[float],
    *,
    converged: Sequence[int] | None = None,
    iterations: Sequence[int] | None = None,
    model: Path = Path("none"),
) -> Scores:
    """An example for each label; where nothing else is said, DeepFool moved each in two steps."""
    count = len(labels)
    return Scores(
        label=np.array(labels),
        loss=np.array(loss, dtype=np.float32),
        distance=np.array(distance, dtype=np.float32),
        converged=np.array(converged or [1] * count),
        iterations=np.array(iterations or [2] * count),
        model=model,
    )


def write_scores(
    folder: Path, study: str, scores: Scores, config: Config, *, seed: int = 0
) -> Path:
    """Write them as the workflow does."""
    folder.mkdir(parents=True)
    spec = start_spec(scored_start(study, seed, config), config)
    arrays = {"label": scores.label}
    arrays |= {f"loss.{way}": scores.loss for way in spec.losses}
    for name in ("distance", "converged", "iterations"):
        arrays |= {f"{name}.{way}": getattr(scores, name) for way in spec.distances}
    save_file(arrays, folder / "scores.safetensors")
    content = {"spec": spec.to_dict(), "spec_digest": spec.digest}
    write_record(folder / "start.json", content, [folder / "scores.safetensors"])
    return folder
