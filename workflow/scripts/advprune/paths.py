"""Where things lie: in the project, in a scale's results, and while work is under way."""

from pathlib import Path

PROJECT = Path(__file__).parents[3]
CONFIG = PROJECT / "config"
CAPTIONS = PROJECT / "report"
LOCK = PROJECT / "envs/requirements.lock"

# A run's folder below the folder of all runs of a scale, and below that of all scores.
RUN_FOLDER = "{dataset}/{method}/p{p}/e{e}/seed{seed}"
SCORES_FOLDER = "{dataset}/e{e}/seed{seed}"
# What a finished run has left in its folder, as far as tables and figures need it.
RESULT_FILES = ("run.json", "training.csv", "evaluation.json", "evaluation.csv", "verdicts.csv")

_CHECKPOINT = ".checkpoint.safetensors"


def seed_text(seed: int) -> str:
    """How a seed is written in paths."""
    return f"{seed:03d}"


def checkpoint_of(record: str | Path) -> Path:
    """Where the work that ends in a record is saved until it is done."""
    record = Path(record)
    return record.with_name(f".{record.stem}{_CHECKPOINT}")


def discard_checkpoints(folder: Path) -> None:
    """Delete the checkpoints of all work in and below ``folder`` that is done."""
    for checkpoint in folder.rglob(f".*{_CHECKPOINT}"):
        stem = checkpoint.name.removeprefix(".").removesuffix(_CHECKPOINT)
        if checkpoint.with_name(f"{stem}.json").exists():
            checkpoint.unlink(missing_ok=True)
