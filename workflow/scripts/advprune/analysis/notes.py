"""What figures and tables say on their face about the data and the scale they were made at."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from advprune.plan.config import Config, ranges_of, seeds_of
from advprune.spec.datasets import DATASETS

if TYPE_CHECKING:
    import pandas as pd

INTERVALS = "± is half the width of the t-based 95% interval of the mean over n runs"
OVER_IMAGES = (
    "for accuracies under attack, ± is over seeds and over the attacked images: all runs of a data "
    "set are attacked on the same random sample, whose error more seeds do not average out"
)
TWO_ATTACKS = (
    "AutoAttack is the standard one; APGD-CE 40×5 is what the authors' released code reports "
    "under that name"
)

# Columns of a table of runs in which all runs should agree: numbers made otherwise may differ.
ALIKE = {
    "source": "states of the pipeline's code",
    "torch": "versions of PyTorch",
    "device": "devices",
    "processor": "processors or instruction sets",
    "threads": "numbers of CPU threads",
    "evaluation_source": "states of the code of the evaluation",
    "evaluation_torch": "versions of PyTorch in the evaluation",
    "evaluation_device": "devices in the evaluation",
    "evaluation_processor": "processors or instruction sets in the evaluation",
}


@dataclass(frozen=True)
class ErrorBars:
    """What the bars of a figure are.

    Attributes:
        column: the end of the names of `statistics.summarise`'s columns that hold their lengths.
        label: what the figure calls them.
    """

    column: str
    label: str


ERROR_BARS = {
    "confidence_interval": ErrorBars("half_width", "t-based 95% intervals"),
    "standard_deviation": ErrorBars("standard_deviation", "± 1 standard deviation"),
}


def error_bars(config: Config, metric: str) -> str:
    """The column of a summary that holds the lengths of a metric's error bars."""
    return f"{metric}_{ERROR_BARS[config['error_bars']].column}"


def dataset_label(dataset: str) -> str:
    """A data set's title, with what it stands in for where it is not the paper's."""
    known = DATASETS[dataset]
    stand_in = f", a stand-in for {known.stands_in_for}" if known.stands_in_for else ""
    return known.title + stand_in


def face_note(config: Config, studies: Iterable[str], *, attacked: bool = True) -> str:
    """One line for each study: the data really used and how much; then scale and protocol.

    Args:
        config: the config that ran.
        studies: names in ``config["studies"]``.
        attacked: whether the number of attacked test images matters for what is shown.
    """
    lines = []
    for name in studies:
        study = config["studies"][name]
        train, test = DATASETS[study["dataset"]].examples
        used = study["train_examples"] or train
        text = (
            f"{dataset_label(study['dataset'])}: {used:,} training images, {network_label(study)}"
        )
        if attacked:
            text += f", {_attacked(study['evaluation'], test)}"
        lines.append(text)
    return "\n".join([*lines, scale_note(config)])


def _attacked(evaluation: Config, test: int) -> str:
    """How many of ``test`` test images were attacked, and by what."""
    counts = [evaluation[key] or test for key in ("autoattack_examples", "single_attack_examples")]
    all_seeds = evaluation["autoattack_seeds"] is None
    if counts[0] == counts[1] and all_seeds:
        return f"{counts[0]:,} test images attacked"
    by = ""
    if not all_seeds:
        seeds = ranges_of(seeds_of(evaluation, "autoattack_seeds"))
        by = f" by the networks of seeds {seeds} alone"
    return f"AutoAttack on {counts[0]:,} test images{by}, APGD-CE 40×5 on {counts[1]:,}"


def scale_note(config: Config) -> str:
    """The scale's name, and whether the paper or the authors' released code is followed."""
    execution = config["execution"]
    arithmetic = "" if execution["precision"] == "float32" else f", in {execution['precision']}"
    if execution["tf32"]:
        arithmetic += ", trained in TF32 on GPUs that have it"
    return f"scale: {config['scale']}, protocol: {config['protocol']}{arithmetic}"


def network_label(study: Config) -> str:
    """The network of a study, and how narrow it is where it is not the paper's width."""
    width = study["training"]["width"]
    narrow = "" if width == 1 else f" at {width} of its width"
    return study["training"]["network"] + narrow


def interval_notes(*, over_images: bool) -> list[str]:
    """What ± is in a table of means.

    Args:
        over_images: whether robust accuracies' intervals hold the attacked images too.
    """
    return [INTERVALS, OVER_IMAGES] if over_images else [INTERVALS]


def seeds_note(counts: Iterable[int], config: Config, *, over_images: bool = False) -> str:
    """How many runs a point is the mean of, and what its bars are if it has any.

    Args:
        counts: of runs, one a point; 0 where nothing is drawn.
        config: the config that ran.
        over_images: whether robust accuracies' intervals hold the attacked images too.
    """
    numbers = sorted({*counts} - {0})
    if numbers in ([], [1]):
        return "One run a point (n = 1), so no error bars"
    few, many = numbers[0], numbers[-1]
    count = f"{few}" if few == many else f"{few} to {many}"
    bars = ERROR_BARS[config["error_bars"]]
    over = ""
    if over_images and bars.column == "half_width":
        over = " (under attack: over seeds and over the attacked images)"
    return f"Means of n = {count} runs a point; bars: {bars.label}{over}, cut off at the axes"


def time_note(config: Config, runs: "pd.DataFrame") -> str:
    """What training time counts, and of which runs.

    Args:
        config: the config that ran.
        runs: those whose mean time is shown.
    """
    counted = "forward, backward, attack, scoring and pruning"
    if config["early_stopping"]["enabled"] and config["early_stopping"]["timed"]:
        counted += ", and early stopping's attacks on test images"
    if stacked := int((runs["stacked"] > 1).sum()):
        counted += (
            f"; of the {len(runs) - stacked} runs that were trained by themselves, "
            f"while {stacked} were trained in stacks"
        )
    if elsewhere := int((runs["training_seconds"].isna() & (runs["stacked"] == 1)).sum()):
        counted += f"; runs left out, as another machine than most trained them: {elsewhere}"
    if runs["device"].str.startswith("cpu").any():
        counted += "; of CPUs the seconds that they worked"
    return f"training time: {counted}"


def duration(seconds: float) -> str:
    """Seconds as a length of time that can be read at a glance."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} seconds"


def mixture_notes(runs: "pd.DataFrame", *, paired: bool = False) -> list[str]:
    """What the runs have been made with that is not the same for all of them, a line each.

    Specifications are never mixed (see `run_table.collect_runs`); these are reason for doubt alone.

    Args:
        runs: a table of runs.
        paired: whether runs of one seed are compared, which then differ in more than their method.
    """
    notes = []
    for column, what in ALIKE.items():
        trained_with = column.removeprefix("evaluation_")
        if trained_with != column and runs[column].eq(runs[trained_with]).all():
            continue  # the note on training says it
        attacked_with = f"evaluation_{column}"
        if attacked_with in ALIKE and runs[column].eq(runs[attacked_with]).all():
            what += ", each attacked with the same"
        counts = runs[column].value_counts().sort_index()
        if len(counts) > 1:
            parts = ", ".join(f"{value} ({count})" for value, count in counts.items())
            doubt = "WARNING, pairs differ in more than the method. " if paired else ""
            notes.append(f"{doubt}Runs made with different {what}, with how many runs: {parts}")
    return notes


def diverged_note(runs: "pd.DataFrame") -> list[str]:
    """How many runs diverged, as a note; none if none did."""
    diverged = int(runs["diverged_epoch"].notna().sum())
    if not diverged:
        return []
    return [f"{diverged} of {len(runs)} runs diverged (a loss that is not finite) and are counted"]
