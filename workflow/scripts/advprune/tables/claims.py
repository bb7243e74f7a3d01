"""The table of claims: what the paper says, what we got, and whether they agree."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from advprune.analysis.metrics import ROBUST_ACCURACIES
from advprune.analysis.notes import face_note, mixture_notes
from advprune.claims.claim import Claim
from advprune.claims.estimates import ALPHA
from advprune.claims.evidence import Evidence
from advprune.claims.headline import headline
from advprune.claims.rules import Verdict
from advprune.claims.verdicts import Interval, Judgement, judge
from advprune.claims.without_effect import without_effect
from advprune.plan.config import Config
from advprune.plan.departures import PARTS, departures
from advprune.plan.exhibits import studies_of
from advprune.tables.table import Table


def claims_table(claims: Sequence[Claim], evidence: Evidence, other: Evidence) -> Table:
    """Judge every claim.

    Args:
        claims: in the order to list them.
        evidence: what they are judged by.
        other: the same with the other column for the paper's "AutoAttack accuracy".
    """
    config = evidence.config
    beside = without_effect(claims, evidence, repetitions=config["claims"]["repetitions"])
    numbers = pd.DataFrame([_row(claim, evidence, other) for claim in claims])
    numbers = numbers.merge(beside, on="id", how="left", validate="one_to_one")
    lines = [group.line for group in headline(numbers.to_dict("records"))]
    notes = [
        *lines,
        "robust accuracy is judged by " + f"{_attack(evidence)} accuracy" + "; beside it by the "
        "other of the two attacks, since the authors' released code reports APGD-CE 40×5 as "
        "AutoAttack",
        "brackets: what the runs leave open, with a 5% error at either end; how each verdict is "
        "computed: docs/claims.md; how often the rules err: the table error_rates",
        "without any effect of pruning: all methods drawn from training on all data, with as many "
        "runs as each verdict is made with",
        *scale_notes(config),
        *mixture_notes(evidence.runs),
        *face_note(config, studies_of("all", config)).split("\n"),
    ]
    return Table("The paper's claims", numbers, _shown(numbers, _attack(other)), notes)


def scale_notes(config: Config) -> list[str]:
    """For each part that was not run as at the paper's scale, what is different."""
    return [
        f"not the paper's scale ({part}): {'; '.join(found)}"
        for part in PARTS
        if (found := departures(config, part))
    ]


def _attack(evidence: Evidence) -> str:
    return ROBUST_ACCURACIES[evidence.robust_metric]


def _shown(numbers: pd.DataFrame, other_attack: str) -> pd.DataFrame:
    """Primary claims first, and what was not run last."""
    last = numbers["verdict"] == Verdict.NOT_RUN
    order = pd.DataFrame({"last": last, "later": ~numbers["primary"]}).sort_values(
        ["last", "later"], kind="stable"
    )
    rows = numbers.loc[order.index]
    return pd.DataFrame(
        {
            "Claim": rows["says"],
            "Group": rows["group"] + rows["primary"].map({True: ", primary", False: ""}),
            "Place": rows["place"],
            "Printed": rows["printed_shown"],
            "Ours": rows["ours_shown"],
            "n": rows["n"],
            "Judged by": rows["judged_by"],
            "Verdict": rows["verdict"],
            f"By {other_attack}": (rows["other_shown"] + " " + rows["other_verdict"]).str.strip(),
            "Why": rows["reason"],
        }
    )


def _row(claim: Claim, evidence: Evidence, other: Evidence) -> dict[str, object]:
    found = judge(claim, evidence)
    beside = judge(claim, other) if claim.quantity.is_robust else None
    parts = [*claim.studies, *claim.quantity.settings]
    departing = [departure for part in parts for departure in departures(evidence.config, part)]
    datasets = [evidence.dataset(study) for study in claim.studies]
    return {
        "id": claim.id,
        "group": claim.group,
        "primary": claim.primary,
        "place": claim.place,
        "shown_in": " ".join(claim.shown_in),
        "says": claim.says,
        "dataset": ", ".join(datasets),
        **_printed(claim),
        **_numbers(found, ""),
        "n": ", ".join(map(str, found.n)) or "0",
        "verdict": found.verdict,
        "reason": found.reason,
        **_numbers(beside, "other_"),
        "other_verdict": beside.verdict if beside else "",
        "other_reason": beside.reason if beside else "",
        "judged_by": claim.rule.words,
        "error_percent": None if claim.quantity.is_check else 100 * ALPHA,
        "paper_scale": not departing,
        "departures": "; ".join(departing),
        "note": claim.note,
        "ours_shown": _ours(claim, found),
        "other_shown": _ours(claim, beside) if beside else "",
        "other_attack": _attack(other),
    }


def _numbers(found: Judgement | None, prefix: str) -> dict[str, float | None]:
    interval = found.interval if found else None
    names = ("value", "low", "high", "cells")
    return {prefix + name: getattr(interval, name) if interval else None for name in names}


def _printed(claim: Claim) -> dict[str, object]:
    """What the paper prints, and the standard error of it that our verdict counts with."""
    names = ("printed", "printed_half_width", "printed_runs", "margin", "unit")
    if claim.printed is None:
        return dict.fromkeys(names) | {"printed_shown": "in words"}
    printed = claim.printed
    text = _number(claim, printed.value)
    if printed.half_width is not None:
        text += f" ± {_number(claim, printed.half_width)}"
    numbers = (printed.value, printed.half_width, printed.runs, claim.rule.margin)
    unit = claim.quantity.unit
    return dict(zip(names, (*numbers, unit), strict=True)) | {"printed_shown": text}


def _ours(claim: Claim, found: Judgement) -> str:
    interval = found.interval
    if interval is None:
        return ""
    if interval.cells > 1:
        return _of_cells(interval)
    text = _number(claim, interval.value)
    if pd.isna(interval.low):
        return text
    return f"{text} [{_number(claim, interval.low)}, {_number(claim, interval.high)}]"


def _of_cells(interval: Interval) -> str:
    counts = (f"{number:.0f}" for number in (interval.value, interval.low, interval.high))
    value, low, high = counts
    return f"{value} of {interval.cells} [{low}, {high}]"


def _number(claim: Claim, value: float) -> str:
    if pd.isna(value):
        return "–"
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.{claim.quantity.decimals}f}"
