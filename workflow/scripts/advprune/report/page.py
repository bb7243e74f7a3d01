"""Putting the report together: one page that needs no other file and no network."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from advprune.analysis.notes import dataset_label, face_note
from advprune.analysis.run_table import read_runs
from advprune.claims.rules import Verdict
from advprune.plan.config import Config
from advprune.plan.departures import PARTS, departures
from advprune.plan.exhibits import EXHIBITS, studies_of
from advprune.plan.protocols import results_name
from advprune.report.claims import read_claim_list
from advprune.report.origin import Origin, origin
from advprune.report.sections import read_section
from advprune.spec.datasets import DATASETS
from advprune.tables.claims import scale_notes

LOCAL_PATH = "(a path on the machine that ran it)"


def report_page(results: Path, config: Config, folder: Path) -> str:
    """The report as HTML.

    Args:
        results: holds runs.csv, claims.csv and the tables and figures, as far as they were made.
        config: the config that ran.
        folder: holds the runs' folders.

    Raises:
        UserError: a file is there but damaged.
    """
    claims = read_claim_list(results / "claims.csv")
    has_runs = (results / "runs.csv").exists()
    runs = read_runs(results / "runs.csv") if has_runs else None
    made = origin(runs, config, folder)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        scale=results_name(config),
        warnings=[*scale_warnings(config, made), *made.warnings],
        face=face_note(config, studies_of("all", config)).split("\n"),
        verdicts=list(Verdict),
        claims=claims,
        sections=[read_section(exhibit, results, claims) for exhibit in EXHIBITS.values()],
        scale_notes=scale_notes(config),
        origin=made,
        departures={part: departures(config, part) for part in PARTS},
        config=json.dumps(without_paths(config), indent=2, ensure_ascii=False),
        links=[
            (name, name)
            for name in ("runs.csv", "summary.csv", "claims.csv", "config.json")
            if (results / name).exists()
        ],
    )


def scale_warnings(config: Config, made: Origin) -> list[str]:
    """What keeps the results from being the paper's, first what matters most."""
    stand_ins = [
        dataset_label(study["dataset"])
        for study in config["studies"].values()
        if DATASETS[study["dataset"]].stands_in_for
    ]
    warnings = []
    if stand_ins:
        warnings.append(
            "stand-in data: the numbers show that the pipeline works, not what the paper says. "
            + "; ".join(stand_ins)
        )
    if made.done < made.planned:
        warnings.append(
            f"incomplete: {made.done:,} of {made.planned:,} runs are done; what stands here is "
            "made from those"
        )
    if made.planned < made.paper:
        warnings.append(
            f"reduced scale: {made.planned:,} runs, where the paper takes {made.paper:,}"
        )
    return warnings


def without_paths(value: Any) -> Any:
    """A config as it may be published: paths of the machine are left out."""
    if isinstance(value, Mapping):
        return {key: without_paths(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_paths(inner) for inner in value]
    is_path = isinstance(value, str) and value.startswith(("/", "~"))
    return LOCAL_PATH if is_path else value
