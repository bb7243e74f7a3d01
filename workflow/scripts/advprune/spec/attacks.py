"""What every trained network is attacked with: standard AutoAttack, and attacks run alone.

To add an attack, write its function, as in `evaluation.single_attacks`, and enter it in `ATTACKS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Croce and Hein (2020): the standard version, for the l-infinity norm, and its attacks in order.
AUTOATTACK_VERSION = "standard"
STANDARD_ATTACKS = ("apgd-ce", "apgd-t", "fab-t", "square")


@dataclass(frozen=True)
class Attack:
    """An attack that trained networks are tested with, alone, beside standard AutoAttack.

    Attributes:
        label: its name in figures and tables.
        code: where its function is; what that takes and returns stands at
            `single_attacks.withstand`.
        settings: what its function is told besides; part of an evaluation's specification.
        together: where the function is that attacks a stack of networks at once, as
            `together.apgd_ce_together` does; None where each is attacked by itself.
    """

    label: str
    code: str
    settings: Mapping[str, int | float] = field(default_factory=dict)
    together: str | None = None


# The accuracy under each is a column ``<name>_accuracy`` of the table of runs.
ATTACKS: dict[str, Attack] = {
    "apgd_ce_40x5": Attack(
        "APGD-CE 40×5",
        "advprune.evaluation.single_attacks:apgd_ce",
        {"steps": 40, "restarts": 5},
        together="advprune.evaluation.together:apgd_ce_together",
    ),
}
