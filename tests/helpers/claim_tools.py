"""Claims, and the evidence they are judged by, made by hand."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from run_tables import joined, runs_of_cell

from advprune.claims.claim import Claim, read_claims
from advprune.claims.evidence import Evidence
from advprune.plan.config import Config, load_config

DEFAULT = load_config()


def evidence(
    *cells: pd.DataFrame,
    config: Config = DEFAULT,
    folder: Path | None = None,
    correlations: pd.DataFrame | None = None,
    embedding: pd.DataFrame | None = None,
    toy: pd.DataFrame | None = None,
    robust_metric: str = "autoattack_accuracy",
) -> Evidence:
    """What claims are judged by; of a config that is the paper's own, if nothing is said."""
    runs = joined(*cells or [runs_of_cell("full", natural_accuracy=[])])
    return Evidence(
        config=config,
        runs=runs,
        folder=folder,
        correlations=correlations,
        embedding=embedding,
        toy=toy,
        robust_metric=robust_metric,
    )


def four(middle: float) -> list[float]:
    """Four values around a mean.

    Their variance is 20 / 3, so the standard error of the mean is sqrt(5 / 3) = 1.291, and with
    t(0.975, 3) = 3.182 the 95% interval reaches 4.108 to both sides.
    """
    return [middle + value for value in (-3, -1, 1, 3)]


def content_of_claim(**changes: Any) -> dict[str, Any]:
    """A claim as a file has it."""
    return {
        "id": "a-claim",
        "group": "number",
        "place": "Section 0",
        "says": "something",
        "studies": ["mnist"],
        "quantity": {
            "kind": "mean",
            "metric": "natural_accuracy",
            "first": {"method": "random", "p": 0.5},
        },
        "printed": {"value": 50, "half_width": 1, "runs": 120},
        "judge": {"by": "number", "margin": 5, "rounding": 0.005},
        **changes,
    }


def worded(quantity: Mapping[str, Any], judge: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A claim without a printed number, as a file has it."""
    content = content_of_claim(**{"group": "effect"} | changes, quantity=quantity, judge=judge)
    del content["printed"]
    return content


def write_claims(path: Path, *claims: Mapping[str, Any]) -> Path:
    """A file of claims."""
    path.write_text(yaml.safe_dump({"claims": list(claims)}, sort_keys=False))
    return path


def read_one(folder: Path, content: Mapping[str, Any] | None = None, **changes: Any) -> Claim:
    """A claim that was written and read."""
    whole = content or content_of_claim(**changes)
    (claim,) = read_claims(write_claims(folder / "claims.yaml", whole))
    return claim


def pair(
    kind: str,
    first: tuple[str, float | str] = ("random", 0.5),
    second: tuple[str, float | str] = ("full", 1.0),
    metric: str = "robust_accuracy",
) -> dict[str, Any]:
    """A quantity of two cells, as a file has it."""
    cells = {"first": first, "second": second}
    named = {name: {"method": method, "p": p} for name, (method, p) in cells.items()}
    return {"kind": kind, "metric": metric, **named}
