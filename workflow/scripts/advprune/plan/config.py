"""Reading and checking the config: what is wrong is said once, before any job starts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from advprune.errors import UserError
from advprune.paths import CONFIG
from advprune.plan.protocols import resolve_protocol
from advprune.plan.schema import check_against
from advprune.plan.yaml_files import read_yaml
from advprune.spec.datasets import DATASETS, wrong_in_entry
from advprune.spec.methods import METHODS
from advprune.spec.networks import NETWORKS, ONEDNN_BLOCK
from advprune.spec.specification import fraction
from advprune.storage.files import read_json, write_json
from advprune.storage.records import check_hash, write_hashes

Config = Mapping[str, Any]
SCHEMA = CONFIG / "schemas/config.schema.yaml"
DEFAULT = CONFIG / "config.yaml"
STUDIES = ("mnist", "cifar10")  # the two halves of the paper
SENSITIVITY = "sensitivity"  # the experiment whose runs every variant has
MNIST_ALONE = ("table1", "pruning_epoch", SENSITIVITY, "by_epoch")
# Tables and figures of these do not tell pruning epochs apart.
OF_ONE_EPOCH = ("accuracy", "table1", SENSITIVITY)
VARIED = ("paired_seeds", "pruning", "deepfool", "early_stopping", "studies")
EXPERIMENT_METHODS = {"standard": ("standard",)}
DECIMALS = 4
FEWEST_CLASSES = 4  # the targeted DLR loss compares four logits


def load_config(*paths: str | Path) -> Config:
    """The default config with overlays laid over it, later ones over earlier ones; see `whole`.

    Raises:
        UserError: a file cannot be read, or the config is wrong.
    """
    merged: dict[str, Any] = {}
    for path in (DEFAULT, *paths):
        merged = _overlaid(merged, read_overlay(path))
    return whole(merged)


def read_overlay(path: str | Path) -> dict[str, Any]:
    """Read a config file by itself: the default or an overlay, without checking what it sets.

    Raises:
        UserError: it cannot be read, is no mapping, or gives a key twice.
    """
    content = read_yaml(path, "config")
    if not isinstance(content, dict):
        raise UserError(f"config {path} is not a mapping of keys to values")
    return content


def whole(merged: Config) -> Config:
    """A merged config, its protocol resolved, checked, its keys in the default's order.

    So equal configs are the same text, however they were merged: Snakemake compares that.

    Raises:
        UserError: the config is wrong.
    """
    config = resolve_protocol(merged)
    check_config(config)
    return _in_order(config, read_overlay(DEFAULT))


def check_config(config: Config) -> None:
    """Check a whole config against the schema and against itself.

    Raises:
        UserError: the message names one key, its value and what is allowed there.
    """
    check_against(SCHEMA, config, "config")
    for complaint in _contradictions(config):
        raise UserError(complaint)
    for name in config["variants"]:
        variant_config(name, config)


def variant_config(name: str, config: Config) -> Config:
    """The config of a variant: its overlay laid over, and no runs but the experiment's on variants.

    Raises:
        UserError: the overlay sets what a variant may not, or makes the config wrong.
    """
    overlay = config["variants"][name]
    if not isinstance(overlay, dict) or (other := overlay.keys() - {*VARIED}):
        what = min(map(str, other)) if isinstance(overlay, dict) else repr(overlay)
        allowed = f"an overlay of {', '.join(VARIED)} alone"
        raise UserError(f"config: variants.{name} has {what}, but must be {allowed}")
    try:
        changed = whole(_overlaid(config, overlay) | {"variants": {}})
    except UserError as error:
        raise UserError(f"{error} (with config: variants.{name})") from error
    for title, study in changed["studies"].items():
        if study["dataset"] != (own := config["studies"][title]["dataset"]):
            raise UserError(
                f"config: variants.{name} sets studies.{title}.dataset to {study['dataset']!r}, "
                f"but must leave it {own!r}: its runs are compared with the config's own"
            )
        for experiment in study["experiments"].keys() - {SENSITIVITY}:
            study["experiments"][experiment]["seeds"] = 0
        study["scores"]["seeds"] = 0
    return changed


def write_config(path: str | Path, config: Config) -> None:
    """Check a whole config and write it as JSON, with its hash beside it.

    Raises:
        UserError: the config is wrong.
    """
    check_config(config)
    write_json(path, config)
    write_hashes(path)


def read_config(path: str | Path) -> Config:
    """Read what `write_config` wrote.

    Raises:
        UserError: it is missing, or is not what was written.
    """
    check_hash(path)
    return read_json(path)


def study_of(dataset: str, config: Config) -> Config:
    """The study that uses a data set."""
    return next(study for study in config["studies"].values() if study["dataset"] == dataset)


def seeds_of(settings: Config, key: str = "seeds") -> list[int]:
    """The seeds that a setting names: its list, or as many from 0 as its number says."""
    seeds = settings[key]
    return list(seeds) if isinstance(seeds, list) else list(range(seeds))


def under_autoattack(seed: int, evaluation: Config) -> bool:
    """Whether AutoAttack is run on the networks of a seed."""
    key = "autoattack_seeds"
    return evaluation[key] is None or seed in seeds_of(evaluation, key)


def ranges_of(seeds: Iterable[int]) -> str:
    """Seeds in words: 0 to 14, 30."""
    parts: list[list[int]] = []
    for seed in sorted(seeds):
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    return ", ".join(f"{p[0]} to {p[-1]}" if len(p) > 1 else f"{p[0]}" for p in parts)


def _overlaid(under: Config, over: Config) -> dict[str, Any]:
    """Merge as Snakemake does: mappings key by key, everything else as a whole."""
    merged = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _overlaid(merged[key], value) if both else value
    return merged


def _in_order(content: Any, like: Any) -> Any:
    """Mappings with the keys of ``like`` first, in its order, and all others sorted."""
    if not isinstance(content, dict):
        return content
    known = like if isinstance(like, dict) else {}
    keys = [*(key for key in known if key in content), *sorted(content.keys() - known.keys())]
    return {key: _in_order(content[key], known.get(key)) for key in keys}


def _contradictions(config: Config) -> Iterator[str]:
    """What the schema cannot see."""
    studies = config["studies"]
    if studies["mnist"]["dataset"] == studies["cifar10"]["dataset"]:
        yield (
            f"config: studies.cifar10.dataset is {studies['cifar10']['dataset']!r}, which is the "
            "data set of studies.mnist too: each study must have its own"
        )
    for name, study in studies.items():
        where = f"config: studies.{name}"
        if wrong := _wrong_dataset(study["dataset"]):
            yield f"{where}.dataset is {study['dataset']!r}, {wrong}"
            continue
        if study["training"]["network"] not in NETWORKS:
            yield (
                f"{where}.training.network is {study['training']['network']!r}, but must be one of "
                f"{', '.join(NETWORKS)}"
            )
        else:
            yield from _layout_contradictions(where, study["training"], config["execution"])
        train, test = DATASETS[study["dataset"]].examples
        for key, value, most in (
            ("train_examples", study["train_examples"], train),
            *(
                (f"evaluation.{key}", study["evaluation"][key], test)
                for key in ("autoattack_examples", "single_attack_examples")
            ),
            ("training.validation_examples", study["training"]["validation_examples"], test),
            ("scores.epoch", study["scores"]["epoch"], study["training"]["epochs"]),
        ):
            if value is not None and value > most:
                yield f"{where}.{key} is {value}, but must be at most {most} here"
        for key in ("epsilon", "step_size"):
            if fraction(study["training"][key]) >= 1:
                yield f"{where}.training.{key} is {study['training'][key]!r}, but must be below 1"
        for title in MNIST_ALONE if name != "mnist" else ():
            if title in study["experiments"]:
                yield f"{where}.experiments.{title} is not used: it is about MNIST alone"
        for title, experiment in study["experiments"].items():
            yield from _experiment_contradictions(
                f"{where}.experiments.{title}", title, experiment, study["training"]["epochs"]
            )
        yield from _block_contradictions(where, study["evaluation"], config["execution"])
    toy = config["appendix_c"]
    if not 0.5 < toy["p_fragile"] < toy["p_robust"]:
        yield (
            f"config: appendix_c.p_fragile is {toy['p_fragile']}, but must be above 0.5 and below "
            f"p_robust, which is {toy['p_robust']}"
        )


def _wrong_dataset(name: str) -> str:
    """Why a study cannot use a data set; empty if it can."""
    if name not in DATASETS:
        return f"but must be one of {', '.join(DATASETS)}"
    if wrong := wrong_in_entry(name):
        return f"whose entry in workflow/scripts/advprune/spec/datasets.py is wrong: {wrong}"
    if DATASETS[name].classes < FEWEST_CLASSES:
        return (
            f"which has {DATASETS[name].classes} classes, but AutoAttack's loss needs "
            f"{FEWEST_CLASSES} or more"
        )
    return ""


def _layout_contradictions(where: str, training: Config, execution: Config) -> Iterator[str]:
    known = NETWORKS[training["network"]]
    on_a_cpu = execution["device"] != "cuda"
    if (
        execution["channels_last"] is True
        and on_a_cpu
        and not known.is_safe_channels_last(training["width"])
    ):
        yield (
            f"config: execution.channels_last is true, but {where.removeprefix('config: ')} trains "
            f"{training['network']} at width {training['width']}, which oneDNN may do wrongly on a "
            f"CPU: set it to false, the width to {ONEDNN_BLOCK / known.shortcut_channels:g} or "
            "more, or execution.device to cuda"
        )


def _block_contradictions(where: str, evaluation: Config, execution: Config) -> Iterator[str]:
    size, seeds = execution["seeds_per_job"], evaluation["autoattack_seeds"]
    if seeds is None:
        return
    attacked = seeds_of(evaluation, "autoattack_seeds")
    if size == "all" or any(
        found != size for found in Counter(seed // size for seed in attacked).values()
    ):
        yield (
            f"{where}.evaluation.autoattack_seeds is {seeds}, but must be whole blocks of "
            f"execution.seeds_per_job, which is {size}: a job evaluates its networks alike"
        )


def _experiment_contradictions(
    where: str, title: str, experiment: Config, epochs: int
) -> Iterator[str]:
    allowed = EXPERIMENT_METHODS.get(
        title, tuple(name for name, method in METHODS.items() if method.select)
    )
    for method in experiment["methods"]:
        if method not in allowed:
            yield (f"{where}.methods has {method!r}, but must have only {', '.join(allowed)}")
    for share in experiment["p"]:
        if -Decimal(str(share)).normalize().as_tuple().exponent > DECIMALS:
            yield f"{where}.p has {share}, but must have at most {DECIMALS} decimals"
    for epoch in experiment["e"]:
        if epoch > epochs:
            yield f"{where}.e has {epoch}, but must be at most {epochs}, the number of epochs"
    if title in OF_ONE_EPOCH and len(experiment["e"]) > 1:
        yield (
            f"{where}.e is {experiment['e']}, but must be one epoch: compare several in "
            "experiments.pruning_epoch"
        )
