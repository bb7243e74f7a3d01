"""Appendix C's toy model of robust and fragile features, simulated and by formula.

A point's first feature is the label's sign, more often right for points of D_robust than for those
of D_fragile, and hard to change; its d other features each say little and together say all, but a
small shift of each undoes them. The simulation draws points as equations 2 and 3 say, attacks two
linear classifiers in the worst way possible, and prunes by loss.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from advprune.analysis.statistics import mean_interval
from advprune.training.seeds import stream_seed

NAME = "toy_features"  # stands where a data set's name stands in the names of random streams
VALUES_AT_ONCE = 4_000_000  # features in memory: 32 MB


@dataclass(frozen=True)
class ToyModel:
    """The distribution of equations 2 and 3.

    Attributes:
        fragile_features: d.
        robust_share: p_R, the probability that a point is from D_robust.
        p_robust: how often the first feature is the label, for points from D_robust.
        p_fragile: the same for points from D_fragile.
    """

    fragile_features: int
    robust_share: float
    p_robust: float
    p_fragile: float

    @property
    def eta(self) -> float:
        """The mean of each fragile feature, times the label."""
        return 3 / math.sqrt(self.fragile_features)

    @property
    def epsilon(self) -> float:
        """The adversary's budget: the least for which equation 5 is stated."""
        return 2 * self.eta

    @property
    def robust_weights(self) -> np.ndarray:
        """(d + 1,) the classifier that sees the robust feature alone."""
        return np.eye(self.fragile_features + 1)[0]

    @property
    def fragile_weights(self) -> np.ndarray:
        """(d + 1,) the classifier that takes the mean of the fragile features."""
        return (1 - self.robust_weights) / self.fragile_features


@dataclass(frozen=True)
class Sample:
    """Points drawn from the model.

    Attributes:
        features: (n, d + 1), the robust feature first.
        labels: (n,) -1 or +1.
        from_robust: (n,) bool, whether a point is from D_robust.
    """

    features: np.ndarray
    labels: np.ndarray
    from_robust: np.ndarray


def draw_sample(model: ToyModel, count: int, random: np.random.Generator) -> Sample:
    """Draw ``count`` points (equations 2 and 3)."""
    from_robust = random.random(count) < model.robust_share
    labels = random.choice([-1.0, 1.0], count)
    agrees = random.random(count) < np.where(from_robust, model.p_robust, model.p_fragile)
    features = random.standard_normal((count, model.fragile_features + 1))
    features += model.eta * labels[:, np.newaxis]
    features[:, 0] = np.where(agrees, labels, -labels)
    return Sample(features, labels, from_robust)


def is_correct(weights: np.ndarray, sample: Sample, epsilon: float = 0.0) -> np.ndarray:
    """Whether a linear classifier (equation 4) is right about each point, however it is attacked.

    Of all perturbations with no value beyond epsilon the worst is -epsilon y sign(w): it takes
    epsilon times the l1 norm of w from the margin y w.x.

    Returns:
        (n,) bool; a margin of 0 counts as wrong, as in equation 5.
    """
    margins = sample.labels * (sample.features @ weights)
    return margins - epsilon * np.abs(weights).sum() > 0


def squared_loss(weights: np.ndarray, sample: Sample) -> np.ndarray:
    """(n,) the loss by which the appendix prunes, |w.x - y|^2."""
    return (sample.features @ weights - sample.labels) ** 2


def simulate(model: ToyModel, count: int, random: np.random.Generator) -> dict[str, float]:
    """Draw points and measure every one of `QUANTITIES` on them.

    Returns:
        Name to percent; NaN for a share of no points.
    """
    at_once = max(1, VALUES_AT_ONCE // (model.fragile_features + 1))
    sizes = [min(at_once, count - first) for first in range(0, count, at_once)]
    parts = [_outcomes(model, draw_sample(model, size, random)) for size in sizes]
    outcomes = pd.concat(parts, ignore_index=True)
    from_robust, high_loss = outcomes["from_robust"], outcomes["high_loss"]
    shares = {
        "fragile_standard": outcomes["fragile_standard"],
        "fragile_adversarial": outcomes["fragile_adversarial"],
        "robust_standard": outcomes["robust_standard"],
        "robust_adversarial": outcomes["robust_adversarial"],
        "high_loss_of_robust": high_loss[from_robust],
        "high_loss_of_fragile": high_loss[~from_robust],
        "robust_share": from_robust,
        "robust_share_without_high_loss": from_robust[~high_loss],
        "robust_share_without_low_loss": from_robust[high_loss],
    }
    return {name: 100 * float(share.mean()) for name, share in shares.items()}


def _outcomes(model: ToyModel, sample: Sample) -> pd.DataFrame:
    """What is true of each point; the robust classifier's loss is either 0 or 4."""
    robust, fragile = model.robust_weights, model.fragile_weights
    return pd.DataFrame(
        {
            "from_robust": sample.from_robust,
            "fragile_standard": is_correct(fragile, sample),
            "fragile_adversarial": is_correct(fragile, sample, model.epsilon),
            "robust_standard": is_correct(robust, sample),
            "robust_adversarial": is_correct(robust, sample, model.epsilon),
            "high_loss": squared_loss(robust, sample) > 0,
        }
    )


def mixed(model: ToyModel, if_robust: float, if_fragile: float) -> float:
    """The mean of something that has one mean in D_robust and another in D_fragile."""
    return model.robust_share * if_robust + (1 - model.robust_share) * if_fragile


def robust_share_among(model: ToyModel, if_robust: float, if_fragile: float) -> float:
    """The share of D_robust among points that stay with either probability, by Bayes' rule."""
    staying = mixed(model, if_robust, if_fragile)
    return model.robust_share * if_robust / staying if staying else math.nan


def swapped_accuracy(model: ToyModel) -> float:
    """The robust classifier's accuracy as the paper prints it."""
    return mixed(model, model.p_fragile, model.p_robust)


def robust_accuracy(model: ToyModel) -> float:
    """The robust classifier's accuracy as it follows from equations 2 and 3."""
    return mixed(model, model.p_robust, model.p_fragile)


@dataclass(frozen=True)
class ToyQuantity:
    """Something that the appendix says of the model.

    Attributes:
        label: in words.
        paper: the paper's formula; a value in [0, 1].
        corrected: what follows from equations 2 and 3.
        relation: empty where the paper states a value, else how the quantity lies to its bound.
    """

    label: str
    paper: Callable[[ToyModel], float]
    corrected: Callable[[ToyModel], float]
    relation: str = ""


QUANTITIES: dict[str, ToyQuantity] = {
    "fragile_standard": ToyQuantity(
        "Fragile classifier: standard accuracy",
        lambda model: 0.99,
        lambda model: ndtr(model.eta * math.sqrt(model.fragile_features)),
        "above",
    ),
    "fragile_adversarial": ToyQuantity(
        "Fragile classifier: adversarial accuracy",
        lambda model: ndtr(-model.eta * math.sqrt(model.fragile_features)),
        lambda model: ndtr((model.eta - model.epsilon) * math.sqrt(model.fragile_features)),
        "≤",
    ),
    "robust_standard": ToyQuantity(
        "Robust classifier: standard accuracy", swapped_accuracy, robust_accuracy
    ),
    "robust_adversarial": ToyQuantity(
        "Robust classifier: adversarial accuracy",
        swapped_accuracy,
        lambda model: robust_accuracy(model) if model.epsilon < 1 else 0.0,
    ),
    "high_loss_of_robust": ToyQuantity(
        "High-loss points in D_robust",
        lambda model: 1 - model.p_robust,
        lambda model: 1 - model.p_robust,
    ),
    "high_loss_of_fragile": ToyQuantity(
        "High-loss points in D_fragile",
        lambda model: 1 - model.p_fragile,
        lambda model: 1 - model.p_fragile,
    ),
    "robust_share": ToyQuantity(
        "D_robust's share of all points",
        lambda model: model.robust_share,
        lambda model: model.robust_share,
    ),
    "robust_share_without_high_loss": ToyQuantity(
        "D_robust's share after dropping high-loss points",
        lambda model: model.robust_share,
        lambda model: robust_share_among(model, model.p_robust, model.p_fragile),
        "above",
    ),
    "robust_share_without_low_loss": ToyQuantity(
        "D_robust's share after dropping low-loss points",
        lambda model: model.robust_share,
        lambda model: robust_share_among(model, 1 - model.p_robust, 1 - model.p_fragile),
        "below",
    ),
}


def simulation_frame(model: ToyModel, *, count: int, seeds: int) -> pd.DataFrame:
    """Simulation, paper's formula and corrected formula of every quantity, in percent.

    Args:
        model: the distribution.
        count: how many points each seed draws.
        seeds: how many seeds, from 0.

    Returns:
        A row for each of `QUANTITIES`. ``paper_relation`` is ``above``, ``below`` or ``≤`` where
        ``paper_value`` is a bound.
    """
    measured = pd.DataFrame(
        simulate(model, count, np.random.default_rng(stream_seed("points", dataset=NAME, seed=s)))
        for s in range(seeds)
    )
    rows = []
    for name, quantity in QUANTITIES.items():
        interval = mean_interval(measured[name])
        rows.append(
            {
                "quantity": name,
                "label": quantity.label,
                "seeds": interval.n,
                "points_per_seed": count,
                "simulated_mean": interval.mean,
                "simulated_half_width": interval.half_width,
                "paper_relation": quantity.relation,
                "paper_value": 100 * quantity.paper(model),
                "corrected_value": 100 * quantity.corrected(model),
            }
        )
    return pd.DataFrame(rows)
