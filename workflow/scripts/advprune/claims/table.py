"""The table of claims: what the paper says, what we got, and whether they agree."""

import collections

import numpy as np
import pandas as pd

from advprune.analysis.metrics import ROBUST_ACCURACIES
from advprune.analysis.notes import face_note, mixture_notes
from advprune.claims.claim import Claim
from advprune.claims.evidence import GAP, ROBUST, Evidence
from advprune.claims.verdicts import Judgement, Verdict, judge
from advprune.plan.config import Config
from advprune.plan.departures import PARTS, departures
from advprune.tables.table import Table


def claims_table(claims: list[Claim], evidence: Evidence, other: Evidence) -> Table:
    """Judge every claim.

    Args:
        claims: in the order to list them.
        evidence: what they are judged by.
        other: the same with the other column for the paper's "AutoAttack accuracy".
    """
    config = evidence.config
    rows = [_row(claim, evidence, other) for claim in claims]
    numbers = pd.DataFrame(rows)
    main, beside = (ROBUST_ACCURACIES[part.robust_metric] for part in (evidence, other))
    shown = pd.DataFrame(
        {
            "Claim": numbers["says"],
            "Place": numbers["place"],
            "Printed": numbers["printed_shown"],
            "Ours": numbers["ours_shown"],
            "n": numbers["n"],
            "Verdict": numbers["verdict"],
            f"By {beside}": (numbers["other_shown"] + " " + numbers["other_verdict"]).str.strip(),
            "Why": numbers["reason"],
        }
    )
    notes = [
        headline(numbers["verdict"]),
        "robust accuracy is judged by " + f"{main} accuracy" + "; beside it by the other of "
        "the two attacks, since the authors' released code reports APGD-CE 40×5 as AutoAttack",
        "brackets: 95% intervals; how each verdict is computed: docs/claims.md",
        *scale_notes(config),
        *mixture_notes(evidence.runs),
        *face_note(config, config["studies"]).split("\n"),
    ]
    return Table("The paper's claims", numbers, shown, notes)


def headline(verdicts: pd.Series) -> str:
    """How many claims have each verdict."""
    counts = collections.Counter(verdicts)
    return f"{len(verdicts)} claims: " + ", ".join(f"{counts[v]} {v}" for v in Verdict)


def scale_notes(config: Config) -> list[str]:
    """For each part that was not run as at the paper's scale, what is different."""
    return [
        f"not the paper's scale ({part}): {'; '.join(found)}"
        for part in PARTS
        if (found := departures(config, part))
    ]


def _row(claim: Claim, evidence: Evidence, other: Evidence) -> dict[str, object]:
    found = judge(claim, evidence)
    by_attack = getattr(claim.quantity, "metric", None) in (ROBUST, GAP)
    beside = judge(claim, other) if by_attack else None
    parts = [*claim.studies, *claim.quantity.settings]
    departing = [departure for part in parts for departure in departures(evidence.config, part)]
    datasets = [evidence.config["studies"][study]["dataset"] for study in claim.studies]
    return {
        "id": claim.id,
        "place": claim.place,
        "shown_in": " ".join(claim.shown_in),
        "says": claim.says,
        "dataset": ", ".join(datasets),
        "printed": claim.printed.value,
        "printed_half_width": claim.printed.half_width,
        **_numbers(found, ""),
        "n": ", ".join(map(str, found.measured.n)) if found.measured else "0",
        "verdict": found.verdict,
        "reason": found.reason,
        **_numbers(beside, "other_"),
        "other_verdict": beside.verdict if beside else "",
        "other_reason": beside.reason if beside else "",
        "judged_by": claim.rule.by,
        "paper_scale": not departing,
        "departures": "; ".join(departing),
        "note": claim.note,
        "printed_shown": _printed(claim),
        "ours_shown": _ours(claim, found),
        "other_shown": _ours(claim, beside) if beside else "",
        "other_attack": ROBUST_ACCURACIES[other.robust_metric],
    }


def _numbers(found: Judgement | None, prefix: str) -> dict[str, float | None]:
    measured = found.measured if found else None
    names = ("value", "low", "high")
    return {prefix + name: getattr(measured.interval, name) if measured else None for name in names}


def _printed(claim: Claim) -> str:
    printed = claim.printed
    if printed.value is None:
        return "in words"
    text = _number(claim, printed.value)
    return text if printed.half_width is None else f"{text} ± {_number(claim, printed.half_width)}"


def _ours(claim: Claim, found: Judgement) -> str:
    if not found.measured:
        return ""
    interval = found.measured.interval
    text = _number(claim, interval.value)
    if pd.isna(interval.low):
        return text
    return f"{text} [{_number(claim, interval.low)}, {_number(claim, interval.high)}]"


def _number(claim: Claim, value: float) -> str:
    if pd.isna(value):
        return "–"
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.{claim.quantity.decimals}f}"
