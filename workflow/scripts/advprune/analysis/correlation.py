"""Pearson's correlation of loss and 1/d over a study's examples (section 4.3)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from advprune.analysis.statistics import CONFIDENCE


@dataclass(frozen=True)
class Correlation:
    """Pearson's r over the examples whose loss and 1/d are finite.

    Attributes:
        r: NaN where either does not vary.
        low, high: Fisher's 95% interval; NaN for fewer than four examples.
        counted: over how many examples.
        left_out: how many have a loss or 1/d that is not finite.
        unconverged: how many DeepFool did not move to another class.
    """

    r: float
    low: float
    high: float
    counted: int
    left_out: int
    unconverged: int


def correlate(frame: pd.DataFrame) -> Correlation:
    """Correlate the columns ``loss`` and ``inverse_distance``; ``converged`` is counted."""
    finite = np.isfinite(frame[["loss", "inverse_distance"]]).all(axis=1)
    used = frame[finite]
    r = low = high = np.nan
    if len(used) > 1 and (used[["loss", "inverse_distance"]].std() > 0).all():
        found = stats.pearsonr(used["loss"], used["inverse_distance"])
        r = float(found.statistic)
        if len(used) > 3:
            low, high = map(float, found.confidence_interval(CONFIDENCE))
    return Correlation(
        r=r,
        low=low,
        high=high,
        counted=len(used),
        left_out=int((~finite).sum()),
        unconverged=int((frame["converged"] == 0).sum()),
    )
