"""The specifications: everything that decides a run's numbers, and nothing else."""

import dataclasses
import json
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from advprune.errors import UserError
from advprune.spec.attacks import ATTACKS, AUTOATTACK_VERSION, STANDARD_ATTACKS
from advprune.spec.limits import check_numbers
from advprune.spec.runs import FULL_SHARE, Run, Start
from advprune.storage.files import digest

# When the loss or the distance of an example is measured in an epoch: in its training pass, before
# the update by its batch, each by another state of the network; or when the pass is over.
IN_PASS, AFTER_PASS = "in_pass", "after_pass"
AUTO = "auto"


def fraction(value: float | str) -> float:
    """A number, or a fraction such as ``"8/255"``, as a float.

    Raises:
        ValueError: it is neither, or not finite.
    """
    try:
        # Fraction would write out all the digits of 1e999999999.
        divided = isinstance(value, str) and "/" in value
        number = float(Fraction(value) if divided else value)
    except ArithmeticError as error:
        raise ValueError(f"{value} is no number: {error}") from error
    if not math.isfinite(number):
        raise ValueError(f"{value} is not finite")
    return number


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
            "autoattack": AutoAttackSettings,
        }
        values = {
            name: nested[name](**value) if name in nested and value is not None else value
            for name, value in content.items()
        }
        if "training" in values:
            values["training"] = TrainingSpec.from_dict(values["training"])
        return cls(**values)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The specification that a program is given as an option.

        Raises:
            UserError: the text is no JSON, a field is missing or unknown, or a number out of
                range.
        """
        try:
            content = json.loads(text)
            check_numbers(content)
            return cls.from_dict(content)
        except (ValueError, TypeError, AttributeError) as error:
            raise UserError(f"--spec is not a specification of {cls.__name__}: {error}") from error

    @property
    def digest(self) -> str:
        """SHA-256 of the specification: equal exactly if every value is."""
        return digest(self.to_dict())


@dataclass(frozen=True)
class DeepFoolSettings:
    """How `scoring.deepfool_all` and `deepfool.deepfool` are run; see there."""

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
        taken: when an example's proxy was measured, `IN_PASS` or `AFTER_PASS`; None for methods
            that have none, and before an epoch.
        rounding: of how many to keep, see `pruning.count_to_keep`.
        odd_one: where both ends are dropped, the end at which an odd one out is dropped too,
            ``"far"`` or ``"near"``; None for other methods.
        class_balanced: whether the share p is kept of each class by itself.
    """

    when: str
    taken: str | None
    rounding: str
    odd_one: str | None
    class_balanced: bool


@dataclass(frozen=True)
class EarlyStoppingSettings:
    """How `early_stopping` decides.

    Attributes:
        examples: how many test images are attacked after each epoch, drawn at random once a run;
            None for all.
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
        tf32: whether a GPU may round the inputs of float32 products to TF32's 10 bits.
        channels_last: whether images and weights are laid out in memory with the channels last;
            `AUTO` for on a CPU, if oneDNN trains the network rightly then.
        compile: whether the network goes through ``torch.compile``.
        deterministic: whether PyTorch is held to deterministic algorithms.
    """

    precision: str
    tf32: bool
    channels_last: bool | str
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
        max_learning_rate, peak: of the cyclic schedule, see `schedule`.
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

    def of_seed(self, seed: int) -> Self:
        """The same for another seed."""
        return dataclasses.replace(self, run=dataclasses.replace(self.run, seed=seed))

    def on_all_data(self) -> Self:
        """How the run on all data of the same data set and seed is trained."""
        run = Run(self.run.dataset, "full", FULL_SHARE, 1, self.run.seed)
        return dataclasses.replace(self, run=run, pruning=None, deepfool=None)

    @property
    def shares_start(self) -> bool:
        """Whether up to the end of epoch e the run is the one on all data."""
        pruned_later = self.pruning is None or self.pruning.when == "after_epoch"
        return self.paired_seeds and self.epsilon is not None and pruned_later


@dataclass(frozen=True)
class StartSpec(Specification):
    """Everything that decides how the runs of a seed begin, and every example's scores then.

    Attributes:
        training: of the run on all data, which with paired seeds is every run of the seed until
            data are pruned.
        epoch: after which the examples are scored, and from which runs go on.
        losses: the ways in which losses are taken, `IN_PASS` or `AFTER_PASS`.
        distances: the ways in which distances are.
        deepfool: how distances are measured; None where none are.
    """

    training: TrainingSpec
    epoch: int
    losses: list[str]
    distances: list[str]
    deepfool: DeepFoolSettings | None

    @property
    def start(self) -> Start:
        """Which start it is."""
        return Start(self.training.run.dataset, self.epoch, self.training.run.seed)

    def of_seed(self, seed: int) -> Self:
        """The same for another seed."""
        return dataclasses.replace(self, training=self.training.of_seed(seed))


@dataclass(frozen=True)
class AutoAttackSettings:
    """What the package pyautoattack is told.

    Attributes:
        version: of AutoAttack, with which it sets up its attacks.
        attacks: their names, in the order in which they are run.
    """

    version: str = AUTOATTACK_VERSION
    attacks: list[str] = dataclasses.field(default_factory=lambda: list(STANDARD_ATTACKS))


@dataclass(frozen=True)
class EvaluationSpec(Specification):
    """Everything that decides what the evaluation of a given network finds.

    Attributes:
        epsilon: the l-infinity bound of the attacks.
        autoattack_examples: how many test images AutoAttack is run on, 0 for none and None for all.
            They are the first of `subset.balanced_order`. Natural accuracy is always over the whole
            test set.
        single_attack_examples: the same for the attacks run alone.
        batch_size: of the attacks. Square draws its random numbers per batch, so this is part of
            the result.
        seed: of the attacks, and of the order of images.
        autoattack: what AutoAttack is told.
        attacks: the attacks run alone, names in `spec.attacks.ATTACKS`, with the settings of each.
        deterministic: whether PyTorch is held to deterministic algorithms.
    """

    epsilon: float
    autoattack_examples: int | None
    single_attack_examples: int | None
    batch_size: int
    seed: int
    autoattack: AutoAttackSettings = dataclasses.field(default_factory=AutoAttackSettings)
    attacks: dict[str, dict[str, int | float]] = dataclasses.field(
        default_factory=lambda: {name: dict(attack.settings) for name, attack in ATTACKS.items()}
    )
    deterministic: bool = False
