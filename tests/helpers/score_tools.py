"""Scores of a study's examples, made by hand."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from advprune.analysis.scores import Scores
from advprune.plan.config import Config
from advprune.plan.specify import score_spec
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
    arrays = {name: value for name, value in vars(scores).items() if name != "model"}
    save_file(arrays, folder / "scores.safetensors")
    spec = score_spec(config["studies"][study]["dataset"], seed, config)
    content = {"spec": spec.to_dict(), "spec_digest": spec.digest}
    write_record(folder / "score.json", content, [folder / "scores.safetensors"])
    return folder
