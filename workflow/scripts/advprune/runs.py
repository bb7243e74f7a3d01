"""What a run is: its name, its place on disk and the specification that decides its numbers."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from advprune.files import digest
from advprune.registry import ATTACKS

# What a finished run has left in its folder, as far as tables and figures need it.
RESULT_FILES = ("run.json", "evaluation.json", "evaluation.csv")
# What training, evaluation and scoring write last, about all else that they have written.
RECORDS = ("run.json", "evaluation.json", "score.json")


def checkpoint_of(record: str | Path) -> Path:
    """Where the work that ends in a record is saved until it is done."""
    record = Path(record)
    return record.with_name(f".{record.stem}.checkpoint.safetensors")


def discard_checkpoints(folder: Path) -> None:
    """Delete the checkpoints of all work in and below ``folder`` that is done."""
    for name in RECORDS:
        for checkpoint in folder.rglob(checkpoint_of(name).name):
            if checkpoint.with_name(name).exists():
                checkpoint.unlink(missing_ok=True)


@dataclass(frozen=True, order=True)
class Run:
    """One network trained by one method: the unit of work.

    Attributes:
        dataset: a name in ``datasets.DATASETS``.
        method: a name in ``pruning.METHODS``.
        p: the share of the data that is kept, as it stands in paths: a decimal string.
        e: the pruning epoch, from 1.
        seed: tells repetitions apart.

    Methods that never prune have p = "1.0" and e = 1, so that each of their runs has one name.
    """

    dataset: str
    method: str
    p: str
    e: int
    seed: int

    @property
    def folder(self) -> PurePosixPath:
        """The run's folder below the folder of all runs of a scale."""
        return PurePosixPath(
            self.dataset, self.method, f"p{self.p}", f"e{self.e}", f"seed{self.seed:03d}"
        )

    @classmethod
    def from_wildcards(cls, dataset: str, method: str, p: str, e: str, seed: str) -> Self:
        """The run that the parts of a path name."""
        return cls(dataset, method, p, int(e), int(seed))

    def __str__(self) -> str:
        return str(self.folder)


class Specification:
    """Turns a dataclass of plain values into JSON, back, and into a hash."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, nested as the specification is."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """The inverse of `to_dict`.

        Raises:
            TypeError: a field is missing or unknown.
        """
        nested = {
            "run": Run,
            "numerics": Numerics,
            "pruning": PruningSettings,
            "deepfool": DeepFoolSettings,
            "early_stopping": EarlyStoppingSettings,
        }
        values = {
            name: nested[name](**value) if name in nested and value is not None else value
            for name, value in content.items()
        }
        return cls(**values)

    @property
    def digest(self) -> str:
        """SHA-256 of the specification: equal exactly if every value is."""
        return digest(self.to_dict())


@dataclass(frozen=True)
class DeepFoolSettings:
    """How `scoring.deepfool_all` and `distance.deepfool` are run; see there."""

    points: str
    max_iterations: int
    overshoot: float
    fixed_target: bool
    unconverged: str


@dataclass(frozen=True)
class PruningSettings:
    """How examples are pruned, where the paper and the released code leave or differ in something.

    Attributes:
        when: ``"after_epoch"`` e has ended, or ``"before_epoch"`` e starts.
        rounding: of how many to keep, see `pruning.count_to_keep`.
        odd_one: where both ends are dropped, the end at which an odd one out is dropped too,
            ``"far"`` or ``"near"``; None for other methods.
        class_balanced: whether the share p is kept of each class by itself.
    """

    when: str
    rounding: str
    odd_one: str | None
    class_balanced: bool


@dataclass(frozen=True)
class EarlyStoppingSettings:
    """How `early_stopping` decides.

    Attributes:
        examples: how many test images are attacked after each epoch, the first ones; None for all.
        steps: of PGD, each of epsilon / steps.
        patience: training ends after so many epochs without a better accuracy.
    """

    examples: int | None
    steps: int
    patience: int


@dataclass(frozen=True)
class Numerics:
    """How the arithmetic is done; each of these may change the last bits of the result.

    Attributes:
        precision: ``"float32"``, or ``"bfloat16"`` or ``"float16"`` by autocast.
        channels_last: the memory layout of images and weights.
        compile: whether the network goes through ``torch.compile``.
        deterministic: whether PyTorch is held to deterministic algorithms.
    """

    precision: str
    channels_last: bool
    compile: bool
    deterministic: bool


@dataclass(frozen=True)
class TrainingSpec(Specification):
    """Everything that decides what training produces (Figure 7 and Algorithm 1).

    Attributes:
        run: data set, method, p, e and seed.
        train_examples: how many of the training images to use, the first ones; None for all.
        network, width: the architecture and the factor on its number of filters.
        normalise: whether the network normalises its input with the data set's mean and deviation.
        augment: whether images are randomly cropped and flipped.
        epochs: E.
        batch_size: images per update.
        optimiser: ``"adam"`` or ``"sgd"``.
        momentum, weight_decay: of SGD; Adam takes the weight decay alone.
        max_learning_rate, peak: of the cyclic schedule, see `schedules`.
        epsilon, step_size: of the adversary; None where there is none.
        paired_seeds: whether the run shares its random streams with other methods, see `seeds`.
        pruning: None for methods that never prune.
        deepfool: None where DeepFool is not used.
        early_stopping: None where training goes on to its end.
        numerics: how the arithmetic is done.
    """

    run: Run
    train_examples: int | None
    network: str
    width: float
    normalise: bool
    augment: bool
    epochs: int
    batch_size: int
    optimiser: str
    momentum: float
    weight_decay: float
    max_learning_rate: float
    peak: float
    epsilon: float | None
    step_size: float | None
    paired_seeds: bool
    pruning: PruningSettings | None
    deepfool: DeepFoolSettings | None
    early_stopping: EarlyStoppingSettings | None
    numerics: Numerics


@dataclass(frozen=True)
class EvaluationSpec(Specification):
    """Everything that decides what the evaluation of a given network finds.

    Attributes:
        epsilon: the l-infinity bound of the attacks.
        test_examples: how many test images are attacked, the first ones; None for all. Natural
            accuracy is always over the whole test set.
        batch_size: of the attacks. Square draws its random numbers per batch, so this is part of
            the result.
        seed: of the attacks.
        attacks: names in ``registry.ATTACKS``, run besides standard AutoAttack.
        deterministic: whether PyTorch is held to deterministic algorithms.
    """

    epsilon: float
    test_examples: int | None
    batch_size: int
    seed: int
    attacks: list[str] = dataclasses.field(default_factory=lambda: list(ATTACKS))
    deterministic: bool = False


def training_seconds(seconds: dict[str, float], *, with_validation: bool = False) -> float:
    """The training time from seconds by phase; validation is part of it only if asked for."""
    return sum(
        value for phase, value in seconds.items() if with_validation or phase != "validation"
    )
