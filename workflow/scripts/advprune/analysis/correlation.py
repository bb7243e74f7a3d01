"""The correlation of loss and 1/d over a study's examples (section 4.3)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from advprune.analysis.overlap import common_share
from advprune.plan.exhibits import TABLE1_SHARE

# Where the plots of the authors' released code cut the axis of 1/d. The largest values, 500 and
# more, are of a handful of examples, which decide Pearson's r over all.
LARGEST_SHOWN = 2.0
# In how many steps DeepFool moves most examples; the released code stops there.
FEW_STEPS = 5


@dataclass(frozen=True)
class Correlation:
    """How loss and 1/d go together over the examples of one network for which both are finite.

    Attributes:
        r: Pearson's, over all of them; NaN where either does not vary.
        r_within: Pearson's, over those with 1/d up to `LARGEST_SHOWN`.
        spearman: of ranks, over all of them.
        dropped_in_common_percent: of those with the largest loss, which pruning to Table 1's p
            drops, how many are among as many with the largest 1/d; NaN where none is dropped.
        counted: over how many examples.
        within: how many of these have 1/d up to `LARGEST_SHOWN`.
        left_out: how many have a loss or 1/d that is not finite.
        unconverged: how many DeepFool did not move to another class.
    """

    r: float
    r_within: float
    spearman: float
    dropped_in_common_percent: float
    counted: int
    within: int
    left_out: int
    unconverged: int


def correlate(frame: pd.DataFrame) -> Correlation:
    """Correlate the columns ``loss`` and ``inverse_distance``; ``converged`` is counted."""
    finite = np.isfinite(frame[["loss", "inverse_distance"]]).all(axis=1)
    used = frame.loc[finite, ["loss", "inverse_distance"]]
    within = used[used["inverse_distance"] <= LARGEST_SHOWN]
    return Correlation(
        r=_pearson(used),
        r_within=_pearson(within),
        spearman=_pearson(used.rank()),
        dropped_in_common_percent=100 * _dropped_in_common(used),
        counted=len(used),
        within=len(within),
        left_out=int((~finite).sum()),
        unconverged=int((frame["converged"] == 0).sum()),
    )


def _dropped_in_common(pairs: pd.DataFrame) -> float:
    dropped = round((1 - TABLE1_SHARE) * len(pairs))
    if not dropped:
        return np.nan
    kept = pairs.rank(method="first") <= len(pairs) - dropped
    return common_share(*kept.to_numpy().T)


def _pearson(pairs: pd.DataFrame) -> float:
    if len(pairs) < 2 or not (pairs.std() > 0).all():
        return np.nan
    return float(scipy.stats.pearsonr(*pairs.to_numpy(dtype=float).T).statistic)
