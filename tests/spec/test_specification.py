"""Specifications: written as JSON, read back, and told apart by their digests."""

import copy
import dataclasses
import json

import pytest
from workflow_tools import PROJECT

from advprune.errors import UserError
from advprune.plan.config import load_config
from advprune.plan.specify import training_spec
from advprune.spec.attacks import ATTACKS
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run
from advprune.spec.specification import EvaluationSpec, TrainingSpec, fraction

RELEASED = load_config(PROJECT / "config/released.yaml")  # in which every part of it is there
TRAINING = training_spec(Run("mnist", "low-deepfool", "0.6", 1, 7), RELEASED)
EVALUATION = EvaluationSpec(
    epsilon=0.3, autoattack_examples=None, single_attack_examples=None, batch_size=500, seed=0
)


@pytest.mark.parametrize(("value", "expected"), [("8/255", 8 / 255), ("0.3", 0.3), (1, 1.0)])
def test_a_bound_may_be_written_as_a_fraction(value, expected):
    assert fraction(value) == expected


@pytest.mark.parametrize("method", METHODS)
def test_a_training_specification_survives_being_written_as_json(method):
    p = "0.6" if METHODS[method].select else "1.0"
    spec = training_spec(Run("cifar10", method, p, 1, 3), RELEASED)
    assert TrainingSpec.from_json(json.dumps(spec.to_dict())) == spec


def test_an_evaluation_specification_survives_being_written_as_json():
    assert EvaluationSpec.from_json(json.dumps(EVALUATION.to_dict())) == EVALUATION


def leaves(content, above=()):
    """The path of every plain value in nested dictionaries."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from leaves(value, (*above, key))
        else:
            yield (*above, key)


def changed(spec, path):
    """The same specification but for one value."""
    content = copy.deepcopy(spec.to_dict())
    *above, last = path
    holder = content
    for key in above:
        holder = holder[key]
    value = holder[last]
    if isinstance(value, bool):
        holder[last] = not value
    elif value is None:
        holder[last] = 17
    elif isinstance(value, list):
        holder[last] = value[1:]
    else:
        holder[last] = value + "0" if isinstance(value, str) else value + 1
    return type(spec).from_dict(content)


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        pytest.param(spec, path, id=f"{type(spec).__name__}.{'.'.join(path)}")
        for spec in (TRAINING, EVALUATION)
        for path in leaves(spec.to_dict())
    ],
)
def test_every_value_of_a_specification_enters_its_digest(spec, path):
    assert changed(spec, path).digest != spec.digest


@pytest.mark.parametrize(
    "path",
    [
        ("autoattack", "version"),
        ("autoattack", "attacks"),
        ("attacks", "apgd_ce_40x5", "steps"),
        ("attacks", "apgd_ce_40x5", "restarts"),
    ],
    ids=".".join,
)
def test_how_networks_are_attacked_is_part_of_their_evaluations_specification(path):
    assert path in leaves(EVALUATION.to_dict())


@pytest.mark.parametrize("settings", [{"steps": 41, "restarts": 5}, {"steps": 40, "restarts": 6}])
def test_an_evaluation_is_another_one_when_an_attacks_settings_are_edited(monkeypatch, settings):
    edited = dataclasses.replace(ATTACKS["apgd_ce_40x5"], settings=settings)
    monkeypatch.setitem(ATTACKS, "apgd_ce_40x5", edited)
    assert EvaluationSpec(0.3, None, None, batch_size=500, seed=0).digest != EVALUATION.digest


def test_the_digest_does_not_depend_on_the_order_of_keys():
    backwards = dict(reversed(TRAINING.to_dict().items()))
    assert TrainingSpec.from_dict(backwards).digest == TRAINING.digest


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("{", "Expecting", id="no JSON"),
        pytest.param("[]", "has no attribute", id="a list"),
        pytest.param(
            json.dumps(TRAINING.to_dict() | {"colour": 1}), "colour", id="a field too many"
        ),
        pytest.param(
            json.dumps({"run": TRAINING.to_dict()["run"]}), "missing", id="fields too few"
        ),
        pytest.param(json.dumps({"numerics": 3}), "mapping", id="a number for settings"),
    ],
)
def test_what_is_no_specification_is_refused_in_words(text, told):
    with pytest.raises(UserError, match=f"--spec is not a specification of TrainingSpec: .*{told}"):
        TrainingSpec.from_json(text)


@pytest.mark.parametrize("value", ["1/0", "nan", "inf", "-inf", "1e999999999", "9" * 400 + "/1"])
def test_a_bound_that_is_not_finite_is_none(value):
    with pytest.raises(ValueError, match=value[:10]):
        fraction(value)
