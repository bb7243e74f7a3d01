"""Finished runs of a scale, made by hand."""

import copy
from pathlib import Path

import numpy as np
from run_tables import DIGEST, USUAL
from safetensors.numpy import save_file
from score_tools import scores_of, write_scores

from advprune.analysis.metrics import AUTOATTACK, RELEASED_AUTOATTACK
from advprune.paths import EVALUATED_FILES, TRAINED_FILES
from advprune.plan.blocks import scored_start
from advprune.plan.config import Config, seeds_of
from advprune.plan.exhibits import runs_of
from advprune.plan.specify import evaluation_spec, training_spec
from advprune.spec.runs import Run
from advprune.storage.files import sha256_of, write_csv
from advprune.storage.records import write_record


def with_seeds(config: Config, seeds: int | list[int]) -> Config:
    """A config whose Table 1 has other seeds."""
    changed = copy.deepcopy(config)
    changed["studies"]["mnist"]["experiments"]["table1"]["seeds"] = seeds
    return changed


def make_scale(folder: Path, config: Config) -> None:
    """Make the runs that a config asks for, and the scores of MNIST's seed 0 if it does."""
    for run in runs_of("all", config):
        write_finished_run(folder / "runs", run, config)
    if not seeds_of(config["studies"]["mnist"]["scores"]):
        return
    start = scored_start("mnist", 0, config)
    drawn = np.random.default_rng(0).random((2, 6), dtype=np.float32)
    scores = scores_of([0, 1, 2, 3, 4, 5], *drawn)
    write_scores(folder / "starts" / start.folder, "mnist", scores, config)


def write_finished_run(folder: Path, run: Run, config: Config) -> None:
    """Write all files of a run of six images, of which four were attacked."""
    place = folder / run.folder
    place.mkdir(parents=True)
    drawn = np.random.default_rng([run.seed, len(run.method)])
    (place / "model.safetensors").write_bytes(drawn.bytes(64))
    curve = {"epoch": 1, "loss": drawn.random(), "examples": 6, "validation_accuracy": None}
    write_csv(place / "training.csv", [curve])
    pruning = {
        "kept": drawn.integers(0, 2, 6, np.uint8),
        "label": np.arange(6, dtype=np.uint8),
        "distance": drawn.random(6, dtype=np.float32),
    }
    save_file(pruning, place / "pruning.safetensors")
    _write_evaluation(place, drawn.integers(0, 2, 4))
    about = {
        "model_sha256": sha256_of(place / "model.safetensors"),
        **{"dataset_sha256": DIGEST, "seconds": {"training": 1.0}, "diverged_epoch": None},
        **{"stopped_epoch": None, "stacked": 1, "train_examples": 6, "kept_examples": 3},
        "provenance": {
            **{"packages": {"torch": "2.0"}, "source": DIGEST, "device": "cpu"},
            **{"processor": None, "threads": 1, "of": str(run)},
        },
    }
    for name, spec, files in (
        ("run.json", training_spec(run, config), ("model.safetensors", *TRAINED_FILES[:-1])),
        ("evaluation.json", evaluation_spec(run, config), EVALUATED_FILES[:-1]),
    ):
        content = {"spec": spec.to_dict(), "spec_digest": spec.digest, **about}
        write_record(place / name, content, [place / each for each in files])


def _write_evaluation(place: Path, withstood: np.ndarray) -> None:
    robust = 100.0 * withstood.mean()
    write_csv(place / "evaluation.csv", [USUAL | {AUTOATTACK: robust, RELEASED_AUTOATTACK: robust}])
    broken_by = [*("none" if stands else "square" for stands in withstood), "", ""]
    stands = [*withstood, "", ""]
    rows = enumerate(zip(broken_by, stands, strict=True))
    write_csv(
        place / "verdicts.csv",
        [
            {"index": n, "label": n, "prediction": n, "broken_by": by, "apgd_ce_40x5": alone}
            for n, (by, alone) in rows
        ],
    )
