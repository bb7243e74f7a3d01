"""Claims, and the evidence they are judged by, made by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from builders import MADE_WITH

from advprune.claims.claim import Claim, read_claims
from advprune.claims.evidence import Evidence
from advprune.plan.config import Config, load_config

DEFAULT = load_config()
# Those of a metric that a test says nothing of.
USUAL = {
    "natural_accuracy": 98.0,
    "autoattack_accuracy": 50.0,
    "apgd_ce_40x5_accuracy": 60.0,
    "training_seconds": 40.0,
}


def runs_of_cell(
    method: str,
    p: str,
    *,
    dataset: str = "mnist",
    e: int = 1,
    first_seed: int = 0,
    **metrics: Sequence[float],
) -> pd.DataFrame:
    """A row of ``runs.csv`` for each value of the metrics given; the others are the usual ones."""
    count = len(next(iter(metrics.values())))
    return pd.DataFrame(
        {
            "dataset": dataset,
            "method": method,
            "p": p,
            "e": e,
            "seed": range(first_seed, first_seed + count),
            **(USUAL | metrics),
            "diverged_epoch": None,
            **MADE_WITH,
        }
    )


def evidence(
    *cells: pd.DataFrame,
    config: Config = DEFAULT,
    scores: pd.DataFrame | None = None,
    embedding: pd.DataFrame | None = None,
    toy: pd.DataFrame | None = None,
    robust_metric: str = "autoattack_accuracy",
) -> Evidence:
    """What claims are judged by; of a config that is the paper's own, if nothing is said."""
    runs = pd.concat(cells or [runs_of_cell("full", "1.0", natural_accuracy=[])])
    return Evidence(config, runs.reset_index(drop=True), scores, embedding, toy, robust_metric)


def content_of_claim(**changes: Any) -> dict[str, Any]:
    """A claim as a file has it."""
    return {
        "id": "a-claim",
        "place": "Section 0",
        "says": "something",
        "studies": ["mnist"],
        "quantity": {
            "kind": "mean",
            "metric": "natural_accuracy",
            "first": {"method": "random", "p": 0.5},
        },
        "printed": {"value": 50},
        "judge": {"by": "within", "margin": 5},
        **changes,
    }


def write_claims(path: Path, *claims: Mapping[str, Any]) -> Path:
    """A file of claims."""
    path.write_text(yaml.safe_dump({"claims": list(claims)}, sort_keys=False))
    return path


def read_one(folder: Path, **changes: Any) -> Claim:
    """A claim that was written and read."""
    (claim,) = read_claims(write_claims(folder / "claims.yaml", content_of_claim(**changes)))
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
