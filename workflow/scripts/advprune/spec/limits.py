"""The numbers that a specification may have, so that a wrong one is said and not stumbled over."""

import math
from decimal import Decimal, InvalidOperation
from typing import Any

from advprune.program import LARGEST_SEED, MOST

# From 1; None where it means all.
COUNTS = {
    *("e", "epoch", "epochs", "batch_size", "train_examples", "examples"),
    "single_attack_examples",
    *("max_iterations", "steps", "patience"),
}
WHOLE_FROM_0 = {"seed": LARGEST_SEED, "autoattack_examples": MOST}
ABOVE_0 = {"width": 16, "max_learning_rate": 1000, "peak": 1, "epsilon": 1, "step_size": 1}
FROM_0 = {"momentum": 1, "weight_decay": 1000, "overshoot": 1000}


def check_numbers(content: Any) -> None:
    """Check the numbers of a specification, wherever in it they stand, by their names.

    Args:
        content: the specification as plain values.

    Raises:
        ValueError: one is out of range; the message names it and says what is allowed.
    """
    if not isinstance(content, dict):
        return
    for name, value in content.items():
        if name != "attacks":  # whose settings are their own
            check_numbers(value)
        allowed = _refused(name, value)
        if allowed:
            raise ValueError(f"{name} is {value!r:.40}, but must be {allowed}")


def _refused(name: str, value: Any) -> str | None:
    """What is allowed in the place of a value, if it is not."""
    if value is None:
        return None
    if name in COUNTS and not (_is_whole(value) and 1 <= value <= MOST):
        return f"a whole number from 1 to {MOST}"
    if name in WHOLE_FROM_0 and not (_is_whole(value) and 0 <= value <= WHOLE_FROM_0[name]):
        return f"a whole number from 0 to {WHOLE_FROM_0[name]}"
    if name in ABOVE_0 and not (_is_finite(value) and 0 < value <= ABOVE_0[name]):
        return f"a number above 0 and at most {ABOVE_0[name]}"
    if name in FROM_0 and not (_is_finite(value) and 0 <= value <= FROM_0[name]):
        return f"a number from 0 to {FROM_0[name]}"
    if name == "p" and not _is_share(value):
        return "a decimal number in quotes above 0 and at most 1"
    return None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def _is_share(value: Any) -> bool:
    try:
        return isinstance(value, str) and 0 < Decimal(value) <= 1
    except InvalidOperation:
        return False
