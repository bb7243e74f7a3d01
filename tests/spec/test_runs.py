"""A run's name, its place on disk and its specification."""

import copy
import dataclasses
import json

import pytest
from workflow_tools import PROJECT

from advprune.plan.config import load_config
from advprune.plan.exhibits import runs_of
from advprune.plan.specify import training_spec
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run
from advprune.spec.specification import EvaluationSpec, TrainingSpec

CONFIG = load_config()
RUN = Run("mnist", "low-deepfool", "0.6", 1, 7)
RELEASED = load_config(PROJECT / "config/released.yaml")
TRAINING = training_spec(RUN, RELEASED)  # the protocol in which every part of it is there
EVALUATION = EvaluationSpec(epsilon=0.3, test_examples=None, batch_size=500, seed=0)


@pytest.mark.parametrize(
    ("run", "folder"),
    [
        pytest.param(RUN, "mnist/low-deepfool/p0.6/e1/seed007", id="short seed"),
        pytest.param(
            Run("cifar10", "full", "1.0", 1, 1234), "cifar10/full/p1.0/e1/seed1234", id="long seed"
        ),
        pytest.param(
            Run("mnist5k", "random", "0.05", 12, 0),
            "mnist5k/random/p0.05/e12/seed000",
            id="two decimals",
        ),
    ],
)
def test_a_run_lies_in_the_folder_that_its_name_says(run, folder):
    assert str(run.folder) == folder == str(run)


def test_every_run_of_the_default_config_is_read_back_from_its_folder():
    for run in runs_of("all", CONFIG):
        dataset, method, p, e, seed = run.folder.parts
        parts = {"p": p.removeprefix("p"), "e": e.removeprefix("e"), "seed": seed[len("seed") :]}
        assert Run.from_wildcards(dataset=dataset, method=method, **parts) == run


def test_no_two_runs_share_a_folder():
    runs = runs_of("all", CONFIG)
    assert len({run.folder for run in runs}) == len(set(runs)) == len(runs)


@pytest.mark.parametrize("method", METHODS)
def test_a_training_specification_survives_being_written_as_json(method):
    p = "0.6" if METHODS[method].select else "1.0"
    spec = training_spec(Run("cifar10", method, p, 1, 3), CONFIG)
    assert TrainingSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_an_evaluation_specification_survives_being_written_as_json():
    again = EvaluationSpec.from_dict(json.loads(json.dumps(EVALUATION.to_dict())))
    assert again == EVALUATION


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


def test_the_digest_does_not_depend_on_the_order_of_keys():
    backwards = dict(reversed(TRAINING.to_dict().items()))
    assert TrainingSpec.from_dict(backwards).digest == TRAINING.digest


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(TrainingSpec)])
def test_a_specification_that_lacks_a_field_is_refused(name):
    content = TRAINING.to_dict()
    del content[name]
    with pytest.raises(TypeError, match=name):
        TrainingSpec.from_dict(content)


def test_a_specification_with_an_unknown_field_is_refused():
    with pytest.raises(TypeError, match="colour"):
        TrainingSpec.from_dict(TRAINING.to_dict() | {"colour": "red"})


def test_a_specification_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TRAINING.epochs = 11
