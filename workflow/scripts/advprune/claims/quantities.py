"""The kinds of quantity that the paper's claims are about, by name.

Each is a small class whose fields are what ``config/paper_claims.yaml`` gives for it. To add one,
write it in `of_runs` or `of_networks` and enter it here.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from advprune.analysis.metrics import METRICS
from advprune.claims.cells import COLLAPSED, CONVERGENCE, GAP, ROBUST, Cells, known_method
from advprune.claims.measured import Quantity
from advprune.claims.of_networks import (
    CorrelationDifference,
    DeepFoolWithin,
    DroppedOverlap,
    DroppedOverlapDifference,
    LargestExcess,
    OfConfig,
    ScoreCorrelation,
    SilhouetteGain,
    Toy,
)
from advprune.claims.of_runs import (
    Convergence,
    Difference,
    Mean,
    Nonlinearity,
    PercentOf,
    ShareAbove,
    Slope,
    SpreadOf,
    SpreadPercentOf,
)

CLAIMABLE = [*METRICS, ROBUST, GAP, COLLAPSED]
QUANTITIES: dict[str, type[Quantity]] = {
    "mean": Mean,
    "difference": Difference,
    "percent_of": PercentOf,
    "spread": SpreadOf,
    "spread_percent_of": SpreadPercentOf,
    "share_above": ShareAbove,
    "slope": Slope,
    "nonlinearity": Nonlinearity,
    "convergence": Convergence,
    "correlation": ScoreCorrelation,
    "correlation_difference": CorrelationDifference,
    "deepfool_within": DeepFoolWithin,
    "dropped_overlap": DroppedOverlap,
    "dropped_overlap_difference": DroppedOverlapDifference,
    "silhouette_gain": SilhouetteGain,
    "toy": Toy,
    "config": OfConfig,
    "largest_excess": LargestExcess,
}


def parse_quantity(content: Mapping[str, Any]) -> Quantity:
    """The quantity that a claim names.

    Raises:
        ValueError: the kind, the metric or a field is unknown, or a field is missing.
    """
    fields = dict(content)
    kind = fields.pop("kind")
    if kind not in QUANTITIES:
        raise ValueError(f"quantity {kind!r} is unknown; known are {', '.join(QUANTITIES)}")
    if fields.get("metric", ROBUST) not in CLAIMABLE:
        raise ValueError(f"metric {fields['metric']!r} is unknown; known: {', '.join(CLAIMABLE)}")
    known = [field.name for field in dataclasses.fields(QUANTITIES[kind])]
    if kind == "convergence":  # it is the metric
        known.remove("metric")
    takes = f"quantity {kind!r} takes {', '.join(known) or 'nothing'}"
    if fields.keys() - set(known):
        raise ValueError(takes)
    for name in {"first", "second"} & fields.keys():
        fields[name] = Cells.parse(fields[name])
    if "method" in fields:
        known_method(fields["method"])
    if kind == "convergence":
        fields["metric"] = CONVERGENCE
    try:
        return QUANTITIES[kind](**fields)
    except TypeError as error:
        raise ValueError(takes) from error
