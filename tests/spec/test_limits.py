"""The numbers of a specification that is given on the command line."""

import copy
import json
import math

import pytest
from workflow_tools import PROJECT

from advprune.errors import UserError
from advprune.plan.config import load_config
from advprune.plan.exhibits import runs_of
from advprune.plan.specify import evaluation_spec, training_spec
from advprune.spec.runs import Run
from advprune.spec.specification import EvaluationSpec, TrainingSpec

RELEASED = load_config(PROJECT / "config/released.yaml")  # in which every part of it is there
RUN = Run("mnist", "low-deepfool", "0.6", 1, 7)
TRAINING, EVALUATION = training_spec(RUN, RELEASED), evaluation_spec(RUN, RELEASED)


def with_value(spec, path, value):
    """A specification as JSON but for one value."""
    content = copy.deepcopy(spec.to_dict())
    *above, last = path.split(".")
    holder = content
    for key in above:
        holder = holder[key]
    assert last in holder
    holder[last] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("path", "value", "allowed"),
    [
        ("epochs", 0, "a whole number from 1"),
        ("epochs", 2.5, "a whole number from 1"),
        ("batch_size", -1, "a whole number from 1"),
        ("batch_size", True, "a whole number from 1"),
        ("train_examples", 10**30, "a whole number from 1 to 10000000"),
        ("run.e", 0, "a whole number from 1"),
        ("run.seed", -1, "a whole number from 0 to 999999"),
        ("run.p", "nan", "a decimal number in quotes above 0 and at most 1"),
        ("run.p", "1.5", "a decimal number"),
        ("run.p", 0.6, "a decimal number in quotes"),
        ("width", math.inf, "a number above 0 and at most 16"),
        ("width", 0, "a number above 0"),
        ("epsilon", math.nan, "a number above 0 and at most 1"),
        ("epsilon", "0.3", "a number above 0"),
        ("max_learning_rate", -0.1, "a number above 0 and at most 1000"),
        ("weight_decay", -1e-9, "a number from 0 to 1000"),
        ("momentum", 7, "a number from 0 to 1"),
        ("deepfool.max_iterations", 0, "a whole number from 1"),
        ("deepfool.overshoot", math.inf, "a number from 0"),
        ("early_stopping.patience", -3, "a whole number from 1"),
    ],
)
def test_a_number_out_of_range_is_refused_by_name(path, value, allowed):
    with pytest.raises(UserError) as caught:
        TrainingSpec.from_json(with_value(TRAINING, path, value))
    assert f"{path.split('.')[-1]} is {value!r:.40}, but must be {allowed}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epsilon", math.nan),
        ("autoattack_examples", -1),
        ("single_attack_examples", 0),
        ("batch_size", 1e9),
        ("seed", -1),
    ],
)
def test_a_number_of_an_evaluation_out_of_range_is_refused(name, value):
    with pytest.raises(UserError, match=f"EvaluationSpec: {name} is "):
        EvaluationSpec.from_json(with_value(EVALUATION, name, value))


def test_the_settings_of_an_attack_are_its_own():
    text = with_value(EVALUATION, "attacks", {"mine": {"steps": 0, "p": 2, "epsilon": 9}})
    assert EvaluationSpec.from_json(text).attacks["mine"]["p"] == 2


@pytest.mark.parametrize("scale", ["config", "laptop", "quick", "smoke"])
def test_what_a_config_asks_for_is_within_range(scale):
    config = load_config(PROJECT / f"config/{scale}.yaml")
    for run in runs_of("all", config)[::7]:
        for spec in (training_spec(run, config), evaluation_spec(run, config)):
            assert type(spec).from_json(json.dumps(spec.to_dict())) == spec
