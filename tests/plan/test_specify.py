"""What specifies a run."""

import copy

import pytest
from workflow_tools import PROJECT

from advprune.plan.config import load_config
from advprune.plan.specify import evaluation_spec, score_spec, training_spec
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run
from advprune.spec.specification import EarlyStoppingSettings

PAPER = load_config()
RELEASED = load_config(PROJECT / "config/released.yaml")


@pytest.fixture
def config():
    """The default config, free to be changed."""
    return copy.deepcopy(PAPER)


def set_at(config, path, value):
    *above, last = path.split(".")
    for key in above:
        config = config[key]
    config[last] = value


def spec_of(config, method="low-deepfool", dataset="mnist"):
    p = "0.6" if METHODS[method].select else "1.0"
    return training_spec(Run(dataset, method, p, 1, 0), config)


FIGURE_7 = {
    "mnist": {
        **{"epsilon": 0.3, "step_size": 0.375, "epochs": 10, "optimiser": "adam"},
        **{"weight_decay": 0, "max_learning_rate": 0.005},
    },
    "cifar10": {
        **{"epsilon": 8 / 255, "step_size": 10 / 255, "epochs": 15, "optimiser": "sgd"},
        **{"momentum": 0.9, "weight_decay": 0.0005, "max_learning_rate": 0.2},
        "network": "preact_resnet18",
    },
}


@pytest.mark.parametrize("dataset", FIGURE_7)
def test_the_default_config_trains_as_the_papers_figure_7_says(dataset):
    spec = spec_of(PAPER, "random", dataset)
    assert {name: getattr(spec, name) for name in FIGURE_7[dataset]} == FIGURE_7[dataset]


@pytest.mark.parametrize("method", [name for name, how in METHODS.items() if not how.adversarial])
def test_a_run_without_adversary_has_no_bound(method):
    spec = spec_of(PAPER, method)
    assert (spec.epsilon, spec.step_size) == (None, None)


@pytest.mark.parametrize("method", METHODS)
def test_only_runs_that_use_deepfool_change_with_its_settings(config, method):
    config["deepfool"]["max_iterations"] = 5
    changed = spec_of(config, method) != spec_of(PAPER, method)
    assert changed == (METHODS[method].proxy == "deepfool")


@pytest.mark.parametrize(
    ("method", "odd_one"), [("lowhigh-loss", "near"), ("lowhigh-deepfool", "far")]
)
def test_the_highest_proxy_is_near_by_the_loss_and_far_by_deepfool(config, method, odd_one):
    set_at(config, "pruning.odd_one", "highest_proxy")
    assert spec_of(config, method).pruning.odd_one == odd_one


@pytest.mark.parametrize(
    ("dataset", "method", "examples"),
    [("mnist", "full", None), ("cifar10", "full", 1000), ("mnist", "standard", ...)],
)
def test_runs_with_an_adversary_can_be_stopped_early(config, dataset, method, examples):
    set_at(config, "early_stopping.enabled", True)
    wanted = None if examples is ... else EarlyStoppingSettings(examples, steps=40, patience=8)
    assert spec_of(config, method, dataset).early_stopping == wanted


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("paired_seeds", False),
        ("pruning.when", "before_epoch"),
        ("pruning.rounding", "floating_point"),
        ("pruning.class_balanced", True),
        ("deepfool.points", "adversarial"),
        ("deepfool.max_iterations", 5),
        ("deepfool.overshoot", 0.1),
        ("deepfool.fixed_target", False),
        ("deepfool.unconverged", "zero"),
        ("execution.precision", "bfloat16"),
        ("execution.deterministic", True),
        ("studies.mnist.train_examples", 100),
        ("studies.mnist.training.network", "preact_resnet18"),
        ("studies.mnist.training.width", 0.5),
        ("studies.mnist.training.normalise", True),
        ("studies.mnist.training.augment", True),
        ("studies.mnist.training.epochs", 9),
        ("studies.mnist.training.batch_size", 128),
        ("studies.mnist.training.optimiser", "sgd"),
        ("studies.mnist.training.momentum", 0.9),
        ("studies.mnist.training.weight_decay", 0.1),
        ("studies.mnist.training.max_learning_rate", 0.1),
        ("studies.mnist.training.peak", 0.5),
        ("studies.mnist.training.epsilon", 0.2),
        ("studies.mnist.training.step_size", 0.2),
    ],
)
def test_what_has_an_effect_on_training_makes_the_run_another(config, path, value):
    set_at(config, path, value)
    spec = spec_of(config)
    assert spec.digest != spec_of(PAPER).digest
    parts = (spec, spec.pruning, spec.deepfool, spec.numerics)
    assert value in [getattr(part, path.split(".")[-1], None) for part in parts]


@pytest.mark.parametrize(
    ("path", "value", "method"),
    [
        ("scale", "elsewhere", "low-deepfool"),
        ("data_root", "data", "low-deepfool"),
        ("partial", True, "low-deepfool"),
        ("execution.device", "cpu", "low-deepfool"),
        ("execution.threads", 8, "low-deepfool"),
        ("execution.jobs_per_gpu", 2, "low-deepfool"),
        ("studies.mnist.evaluation.test_examples", 10, "low-deepfool"),
        ("studies.mnist.evaluation.seed", 1, "low-deepfool"),
        ("studies.mnist.experiments.accuracy.seeds", 2, "low-deepfool"),
        ("studies.cifar10.training.epochs", 3, "low-deepfool"),
        ("figure2.examples", 10, "low-deepfool"),
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
def test_what_has_no_effect_on_a_run_leaves_it_the_same_run(config, path, value, method):
    set_at(config, path, value)
    assert config != PAPER
    assert spec_of(config, method) == spec_of(PAPER, method)


def test_a_whole_number_and_the_same_number_with_a_point_specify_the_same_run(config):
    for path in ("width", "momentum", "weight_decay"):
        now = config["studies"]["mnist"]["training"][path]
        set_at(config, f"studies.mnist.training.{path}", float(now))
    assert spec_of(config).digest == spec_of(PAPER).digest


@pytest.mark.parametrize(("config", "epsilon"), [(PAPER, 8 / 255), (RELEASED, 0.031)])
def test_an_evaluation_is_within_the_bound_that_the_study_trains_for(config, epsilon):
    assert evaluation_spec(Run("cifar10", "standard", "1.0", 1, 0), config).epsilon == epsilon


def test_an_evaluation_is_deterministic_if_the_config_says_so(config):
    run = Run("mnist", "full", "1.0", 1, 0)
    config["execution"]["deterministic"] = True
    specs = evaluation_spec(run, PAPER), evaluation_spec(run, config)
    assert [spec.deterministic for spec in specs] == [False, True]


def test_scores_come_from_a_run_that_knows_how_to_use_deepfool():
    spec = score_spec("mnist", 2, 5, PAPER)
    assert (spec.run.e, spec.run.seed, spec.deepfool is not None) == (2, 5, True)


def test_scores_are_those_of_a_run_that_was_neither_pruned_nor_stopped(config):
    set_at(config, "pruning.when", "before_epoch")
    set_at(config, "early_stopping.enabled", True)
    spec = score_spec("mnist", 1, 0, config)
    assert (spec.pruning, spec.early_stopping) == (None, None)
