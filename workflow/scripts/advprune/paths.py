"""Where things lie: in the project, in a scale's results, and while work is under way."""

from pathlib import Path

PROJECT = Path(__file__).parents[3]
PROGRAMS = PROJECT / "workflow/scripts"
CONFIG = PROJECT / "config"
CAPTIONS = PROJECT / "report"
REQUIREMENTS = PROJECT / "envs/requirements.in"
LOCK = PROJECT / "envs/requirements.lock"

# In the folder of a scale.
RUNS, STARTS, BLOCKS, PARTIAL = "runs", "starts", "blocks", "partial"
VARIANT = "variants/{variant}/"  # where each variant has its own of the first three
# Of runs, or of starts, that differ in the seed alone: a block, which one job makes, and a single
# one's folder; each below the folder of all of its kind.
_RUNS, _STARTS = "{dataset}/{method}/p{p}/e{e}/", "{dataset}/e{e}/"
RUN_BLOCK, RUN_FOLDER = _RUNS + "{block}", _RUNS + "seed{seed}"
START_BLOCK, START_FOLDER = _STARTS + "{block}", _STARTS + "seed{seed}"
# What jobs leave in the folder of a run or a start, the record of each last. The network is not
# among them: it may be deleted.
START_FILES = ("scores.safetensors", "start.json")
TRAINED_FILES = ("training.csv", "pruning.safetensors", "run.json")
EVALUATED_FILES = ("evaluation.csv", "verdicts.csv", "evaluation.json")
RESULT_FILES = (*TRAINED_FILES, *EVALUATED_FILES)

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
