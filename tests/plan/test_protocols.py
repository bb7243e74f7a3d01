"""The two protocols: every difference is one switch, documented, and does what its line says."""

import copy
import re

import pytest
import yaml
from workflow_tools import PROJECT

from advprune.errors import UserError
from advprune.plan.config import DEFAULT, SCHEMA, load_config
from advprune.plan.exhibits import runs_of
from advprune.plan.protocols import PROTOCOLS, SWITCHES, resolve_protocol, results_name
from advprune.plan.specify import evaluation_spec, score_spec, training_spec
from advprune.spec.runs import Run
from advprune.spec.specification import EarlyStoppingSettings

RELEASED = PROJECT / "config/released.yaml"
NOTES = (PROJECT / "docs/paper_notes.md").read_text(encoding="utf-8")
SCHEMA_CONTENT = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
DEFAULT_CONTENT = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
PAPER_CONFIG, RELEASED_CONFIG = load_config(), load_config(RELEASED)


def leaves(content, above=""):
    """Dotted key to value, of every value in nested mappings."""
    found = {}
    for key, value in content.items():
        if isinstance(value, dict):
            found |= leaves(value, f"{above}{key}.")
        else:
            found[above + key] = value
    return found


def overlay(key, value):
    """The nested mapping that sets one dotted key."""
    for name in reversed(key.split(".")):
        value = {name: value}
    return value


def config_with(tmp_path, settings):
    """The default config but for some dotted keys, read from overlays."""
    paths = []
    for number, (key, value) in enumerate(settings.items()):
        paths.append(tmp_path / f"{number}.yaml")
        paths[-1].write_text(yaml.safe_dump(overlay(key, value)))
    return load_config(*paths)


def differing(first, second):
    first, second = leaves(first), leaves(second)
    return {key for key in first.keys() | second.keys() if first.get(key) != second.get(key)}


# What a protocol is.


def test_the_protocols_differ_in_exactly_the_switches_listed():
    assert differing(PAPER_CONFIG, RELEASED_CONFIG) == {"protocol", *SWITCHES}


@pytest.mark.parametrize(("key", "values"), SWITCHES.items())
def test_a_switch_has_the_value_of_its_protocol(key, values):
    assert (leaves(PAPER_CONFIG)[key], leaves(RELEASED_CONFIG)[key]) == values


def test_the_default_config_leaves_exactly_the_switches_to_the_protocol():
    sized = {"data_root", "train_examples", "test_examples", "validation_examples"}
    nulls = {key for key, value in leaves(DEFAULT_CONTENT).items() if value is None}
    assert {key for key in nulls if key.split(".")[-1] not in sized} == set(SWITCHES)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("key", "values"), SWITCHES.items())
def test_a_switch_can_be_set_alone_under_either_protocol(tmp_path, protocol, key, values):
    under = {"paper": PAPER_CONFIG, "released": RELEASED_CONFIG}[protocol]
    other = values[1 - PROTOCOLS.index(protocol)]
    config = config_with(tmp_path, {"protocol": protocol, key: other})
    assert differing(config, under) == {key}
    assert leaves(config)[key] == other


def test_settling_leaves_the_config_it_is_given_as_it_is():
    config = copy.deepcopy(DEFAULT_CONTENT)
    resolve_protocol(config)
    assert config == DEFAULT_CONTENT


def test_settling_twice_is_settling_once():
    assert resolve_protocol(RELEASED_CONFIG) == RELEASED_CONFIG


@pytest.mark.parametrize("protocol", ["papre", None, 3, [], {}])
def test_an_unknown_protocol_is_refused(protocol):
    with pytest.raises(UserError, match=r"config: protocol is .*, but must be one of paper, rele"):
        resolve_protocol(DEFAULT_CONTENT | {"protocol": protocol})


def test_null_is_refused_where_the_protocol_has_no_say(tmp_path):
    with pytest.raises(UserError, match=r"deepfool.overshoot is None, but must be a number"):
        config_with(tmp_path, {"deepfool.overshoot": None})


@pytest.mark.parametrize("name", ["laptop", "quick", "smoke"])
def test_a_scale_plans_the_same_runs_under_either_protocol(name):
    scale = PROJECT / f"config/{name}.yaml"
    assert runs_of("all", load_config(scale)) == runs_of("all", load_config(scale, RELEASED))


@pytest.mark.parametrize(
    ("config", "name"), [(PAPER_CONFIG, "paper"), (RELEASED_CONFIG, "paper-released")]
)
def test_each_protocol_has_a_folder_of_its_own(config, name):
    assert results_name(config) == name


# What is written of the switches.


def noted_switches():
    """The first cells of the table of switches, with their sections."""
    table = NOTES.partition("## Two protocols")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE)


def schema_keys(schema, above=""):
    if "$ref" in schema:
        schema = SCHEMA_CONTENT["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    for key, below in schema.get("properties", {}).items():
        yield above + key
        yield from schema_keys(below, f"{above}{key}.")


@pytest.mark.parametrize("key", noted_switches())
def test_a_switch_in_the_notes_is_a_key_of_the_config(key):
    assert key in set(schema_keys(SCHEMA_CONTENT))


def test_the_notes_name_every_switch_that_there_is_once():
    # Overshoot has a value that paper, reference and released code share: the other table has it.
    of_sections = {
        key
        for key in schema_keys(SCHEMA_CONTENT)
        if key.startswith(("pruning.", "deepfool.", "early_stopping."))
    } - {"deepfool.overshoot"}
    sizes = {f"studies.{study}.training.validation_examples" for study in ("mnist", "cifar10")}
    assert sorted(noted_switches()) == sorted({*SWITCHES, *of_sections, *sizes})


@pytest.mark.parametrize("key", SWITCHES)
def test_the_notes_give_both_values_of_a_switch(key):
    (row,) = re.findall(rf"^\| `{re.escape(key)}` \|.*$", NOTES, re.MULTILINE)
    *_, paper, released, _ = re.split(r"(?<!\\)\|", row)
    for cell, value in zip((paper, released), SWITCHES[key], strict=True):
        assert f"`{str(value).lower() if isinstance(value, bool) else value}`" in cell


# What a switch makes of a run's specification.


def spec_of(config, dataset="mnist", method="lowhigh-deepfool"):
    return training_spec(Run(dataset, method, "0.6", 1, 0), config)


@pytest.mark.parametrize(
    ("key", "value", "dataset", "method", "field", "expected"),
    [
        ("paired_seeds", False, "mnist", "full", "paired_seeds", False),
        ("pruning.when", "before_epoch", "mnist", "random", "pruning.when", "before_epoch"),
        ("pruning.rounding", "floating_point", "mnist", "random", "pruning.rounding", None),
        ("pruning.odd_one", "highest_proxy", "mnist", "lowhigh-loss", "pruning.odd_one", "near"),
        ("pruning.odd_one", "highest_proxy", "mnist", "lowhigh-deepfool", "pruning.odd_one", "far"),
        ("pruning.class_balanced", True, "mnist", "low-loss", "pruning.class_balanced", True),
        ("deepfool.points", "adversarial", "mnist", "low-deepfool", "deepfool.points", None),
        ("deepfool.max_iterations", 5, "mnist", "low-deepfool", "deepfool.max_iterations", 5),
        ("deepfool.fixed_target", False, "mnist", "low-deepfool", "deepfool.fixed_target", False),
        ("deepfool.unconverged", "zero", "mnist", "low-deepfool", "deepfool.unconverged", "zero"),
        (
            *("early_stopping.enabled", True, "mnist", "full", "early_stopping"),
            EarlyStoppingSettings(examples=None, steps=40, patience=8),
        ),
        (
            *("early_stopping.enabled", True, "cifar10", "full", "early_stopping"),
            EarlyStoppingSettings(examples=1000, steps=40, patience=8),
        ),
        ("early_stopping.enabled", True, "mnist", "standard", "early_stopping", None),
        ("studies.mnist.training.normalise", True, "mnist", "full", "normalise", True),
        ("studies.mnist.training.batch_size", 128, "mnist", "full", "batch_size", 128),
        (
            *("studies.cifar10.training.network", "preact_resnet18_large_stem", "cifar10", "full"),
            *("network", "preact_resnet18_large_stem"),
        ),
        ("studies.cifar10.training.peak", 0.4, "cifar10", "full", "peak", 0.4),
        ("studies.cifar10.training.epsilon", 0.031, "cifar10", "full", "epsilon", 0.031),
        ("studies.cifar10.training.step_size", 0.039, "cifar10", "full", "step_size", 0.039),
    ],
)
def test_a_switch_reaches_the_runs_specification(
    tmp_path, key, value, dataset, method, field, expected
):
    found = spec_of(config_with(tmp_path, {key: value}), dataset, method)
    for name in field.split("."):
        found = getattr(found, name)
    assert found == (value if expected is None and method != "standard" else expected)


@pytest.mark.parametrize(
    ("key", "value", "method"),
    [
        pytest.param("robust_accuracy", "apgd_ce_40x5", "low-loss", id="what is compared"),
        pytest.param("error_bars", "standard_deviation", "low-loss", id="what is drawn"),
        pytest.param("early_stopping.timed", True, "low-loss", id="what is timed"),
        pytest.param("early_stopping.patience", 3, "low-loss", id="patience with no stopping"),
        pytest.param("early_stopping.steps", 3, "low-loss", id="steps with no stopping"),
        pytest.param(
            "studies.mnist.training.validation_examples", 3, "low-loss", id="images, no stopping"
        ),
        pytest.param("early_stopping.enabled", True, "standard", id="stopping with no adversary"),
        pytest.param("pruning.odd_one", "highest_proxy", "low-loss", id="odd one of one end"),
        pytest.param("pruning.odd_one", "highest_proxy", "lowhigh-deepfool", id="the same end"),
        pytest.param("pruning.when", "before_epoch", "full", id="when to prune all data"),
        pytest.param("pruning.rounding", "floating_point", "full", id="rounding all data"),
        pytest.param("pruning.class_balanced", True, "standard", id="balance without pruning"),
        pytest.param("deepfool.unconverged", "zero", "low-loss", id="DeepFool for the loss"),
        pytest.param("deepfool.points", "adversarial", "random", id="DeepFool for random"),
    ],
)
def test_a_switch_without_effect_on_a_run_leaves_it_the_same_run(tmp_path, key, value, method):
    changed = config_with(tmp_path, {key: value})
    assert changed != PAPER_CONFIG
    assert spec_of(changed, method=method) == spec_of(PAPER_CONFIG, method=method)


def test_the_adversary_of_the_evaluation_is_that_of_the_protocol():
    run = Run("cifar10", "full", "1.0", 1, 0)
    assert evaluation_spec(run, RELEASED_CONFIG).epsilon == 0.031


def test_scores_are_those_of_a_run_that_was_neither_pruned_nor_stopped(tmp_path):
    early = {"pruning.when": "before_epoch", "early_stopping.enabled": True}
    spec = score_spec("mnist", 1, 0, config_with(tmp_path, early))
    assert (spec.pruning, spec.early_stopping) == (None, None)
