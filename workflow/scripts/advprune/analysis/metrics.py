"""What is measured of a run, and what it is called."""

from advprune.spec.attacks import ATTACKS, STANDARD_ATTACKS

# Columns of the table of runs.
ACCURACIES = {
    "natural_accuracy": "Natural accuracy (%)",
    "autoattack_accuracy": "AutoAttack accuracy (%)",
    **{f"{name}_accuracy": f"{attack.label} accuracy (%)" for name, attack in ATTACKS.items()},
}
METRICS = [*ACCURACIES, "training_seconds"]
# Those that an adversary has a hand in, and the attack of each.
ROBUST_ACCURACIES = {
    "autoattack_accuracy": "AutoAttack",
    **{f"{name}_accuracy": attack.label for name, attack in ATTACKS.items()},
}
# The two that may stand for the paper's "AutoAttack accuracy": the standard one, and what the
# authors' released code reports under that name.
AUTOATTACK, RELEASED_AUTOATTACK = "autoattack_accuracy", "apgd_ce_40x5_accuracy"
# Where `statistics.summarise` has how many runs AutoAttack was run on.
AUTOATTACK_RUNS = "autoattack_runs"
PAPERS_ATTACKS = {name: ROBUST_ACCURACIES[name] for name in (AUTOATTACK, RELEASED_AUTOATTACK)}

# What is left after each attack of AutoAttack in turn, and the attack.
AFTER_EACH = {
    f"robust_after_{name.replace('-', '_')}": name.upper() if "-" in name else name.capitalize()
    for name in STANDARD_ATTACKS
}


def collapse_column(metric: str) -> str:
    """Where `statistics.summarise` has the share of runs that collapsed by a robust metric."""
    return f"{metric.removesuffix('_accuracy')}_collapsed_share"
