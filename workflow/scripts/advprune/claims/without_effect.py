"""What a file of claims comes to where pruning does nothing: every method is training on all data.

A headline of so many claims REPRODUCED says something only beside this number.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from advprune.claims.cells import ALL_DATA
from advprune.claims.claim import Claim, Rule
from advprune.claims.evidence import Evidence
from advprune.claims.measured import NotMeasuredError
from advprune.claims.of_runs import Mean, OfRuns, PercentOf, SpreadPercentOf
from advprune.claims.simulated import POPULATIONS, SimulatedRuns
from advprune.claims.verdicts import decide

MOST_REPETITIONS = 1000  # more would change no expected number of claims by 0.1
ABOUT_PRUNING = ("number", "size", "effect", "no loss")


def without_effect(
    claims: Sequence[Claim], evidence: Evidence, *, repetitions: int, seed: int = 0
) -> pd.DataFrame:
    """How often each claim is REPRODUCED where pruning does nothing, with the runs that there are.

    Args:
        claims: of the paper.
        evidence: which runs there are, of which p, and whether their seeds are paired.
        repetitions: of the whole experiment; at most `MOST_REPETITIONS` are made.
        seed: of the simulation.

    Returns:
        A row for each claim that is about what pruning does, and for the numbers of training on
        all data, by ``id``: ``without_effect_is``, whether it is true or false there, and
        ``without_effect_percent``, how often it is REPRODUCED.
    """
    rows = []
    for number, claim in enumerate(claims):
        if not is_simulated(claim):
            continue
        (study,) = claim.studies
        n = seeds_there(claim, evidence)
        random = np.random.default_rng([seed, number])
        repeated = min(repetitions, MOST_REPETITIONS)
        percent = 0.0
        if n and not claim.unmet(evidence.config):
            below_1 = evidence.shares_below_1(study)
            runs = SimulatedRuns(n, repeated, random, evidence.paired, below_1)
            decision = decide(claim, claim.quantity.of_runs(runs, study))
            percent = 100 * float(np.broadcast_to(decision.reproduced, repeated).mean())
        truth = "true" if is_true(claim) else "false"
        rows.append({"id": claim.id, "without_effect_is": truth, "without_effect_percent": percent})
    return pd.DataFrame(rows, columns=["id", "without_effect_is", "without_effect_percent"])


def is_simulated(claim: Claim) -> bool:
    """Whether it is about runs with an adversary, and about what pruning does."""
    if claim.group not in ABOUT_PRUNING or not isinstance(claim.quantity, OfRuns):
        return False
    metric = claim.quantity.metric
    known = metric in POPULATIONS[claim.studies[0]] or claim.quantity.is_robust
    methods = {cell.method for cell in claim.quantity.cells((ALL_DATA,))}
    return known and "standard" not in methods


def seeds_there(claim: Claim, evidence: Evidence) -> int:
    """How many seeds its verdict is made with, in the cell that has the fewest; 0 without any."""
    try:
        return min(claim.quantity.measure(evidence, claim.studies[0]).n)
    except NotMeasuredError:
        return 0


def is_true(claim: Claim) -> bool:
    """Whether the claim holds where every method is training on all data."""
    quantity, rule = claim.quantity, claim.rule
    truth = 0.0
    if isinstance(quantity, Mean):
        truth = POPULATIONS[claim.studies[0]][quantity.metric].mean
    elif isinstance(quantity, PercentOf | SpreadPercentOf):
        truth = 100.0
    if rule.by == "number":
        return abs(truth - claim.printed.value) < rule.margin
    if rule.by == "similar":
        return abs(truth) < rule.margin
    bound, sign = _bound(rule)
    return sign * (truth - bound) > 0


def _bound(rule: Rule) -> tuple[float, int]:
    """The bound of a rule, and on which side of it the claim holds."""
    if rule.by == "no_loss":
        return -rule.tolerance, 1
    return rule.bound, -1 if rule.by == "at_most" else 1
