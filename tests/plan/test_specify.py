"""What specifies a run."""

import copy

import pytest
from workflow_tools import PROJECT

from advprune.plan.config import load_config
from advprune.plan.specify import evaluation_spec, pruning_settings, start_spec, training_spec
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run, Start
from advprune.spec.specification import EarlyStoppingSettings
from advprune.training.pruning import count_to_keep

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
# What the paper leaves open, as the released code has it.
LEFT_OPEN = {
    "mnist": {"normalise": True, "batch_size": 128, "peak": 0.4},
    "cifar10": {"normalise": True, "batch_size": 128, "peak": 0.4},
}


@pytest.mark.parametrize("dataset", FIGURE_7)
def test_the_default_config_trains_as_the_papers_figure_7_says(dataset):
    spec = spec_of(PAPER, "random", dataset)
    assert {name: getattr(spec, name) for name in FIGURE_7[dataset]} == FIGURE_7[dataset]


@pytest.mark.parametrize("config", [PAPER, RELEASED], ids=["paper", "released"])
@pytest.mark.parametrize("dataset", LEFT_OPEN)
def test_what_the_paper_leaves_open_is_as_released_by_either_protocol(config, dataset):
    spec = spec_of(config, "random", dataset)
    assert {name: getattr(spec, name) for name in LEFT_OPEN[dataset]} == LEFT_OPEN[dataset]


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
    ("method", "rounding", "kept"),
    [
        # The released code keeps the first ⌊p·M⌋ where it drops the highest proxy.
        ("low-loss", "of_kept", 48_000),
        ("high-deepfool", "of_kept", 48_000),
        ("high-loss", "of_dropped", 48_001),
        ("low-deepfool", "of_dropped", 48_001),
        ("lowhigh-loss", "of_dropped", 48_001),
        ("lowhigh-deepfool", "of_dropped", 48_001),
        ("random", "of_dropped", 48_001),
    ],
)
def test_the_released_code_rounds_what_it_keeps_or_what_it_drops(method, rounding, kept):
    settings = pruning_settings(method, RELEASED)
    assert settings.rounding == rounding
    assert count_to_keep(60_000, "0.8", settings.rounding) == kept
    exact = pruning_settings(method, PAPER).rounding
    assert (exact, count_to_keep(60_000, "0.8", exact)) == ("exact", 48_000)


@pytest.mark.parametrize(
    ("method", "paper", "released"),
    [
        ("low-loss", "in_pass", "in_pass"),
        ("low-deepfool", "after_pass", "in_pass"),
        ("random", None, None),
    ],
)
def test_when_a_proxy_is_taken_is_the_protocols_choice(method, paper, released):
    taken = [pruning_settings(method, config).taken for config in (PAPER, RELEASED)]
    assert taken == [paper, released]


@pytest.mark.parametrize(
    ("key", "value", "changed"),
    [
        ("loss_taken", "after_pass", ["low-loss", "high-loss", "lowhigh-loss"]),
        ("deepfool_taken", "in_pass", ["low-deepfool", "high-deepfool", "lowhigh-deepfool"]),
    ],
)
def test_when_a_proxy_is_taken_makes_only_runs_pruned_by_it_others(config, key, value, changed):
    config["pruning"][key] = value
    found = [name for name in METHODS if spec_of(config, name) != spec_of(PAPER, name)]
    assert found == changed


@pytest.mark.parametrize("key", ["loss_taken", "deepfool_taken"])
@pytest.mark.parametrize("method", METHODS)
def test_before_an_epoch_there_is_no_pass_to_take_a_proxy_in(config, key, method):
    specs = []
    for value in ("in_pass", "after_pass"):
        config["pruning"] |= {"when": "before_epoch", key: value}
        specs.append(spec_of(config, method))
    assert specs[0] == specs[1]


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
        ("pruning.class_balanced", True),
        ("deepfool.points", "adversarial"),
        ("deepfool.max_iterations", 5),
        ("deepfool.overshoot", 0.1),
        ("deepfool.fixed_target", False),
        ("deepfool.unconverged", "zero"),
        ("execution.precision", "bfloat16"),
        ("execution.tf32", True),
        ("execution.deterministic", True),
        ("studies.mnist.train_examples", 100),
        ("studies.mnist.training.network", "preact_resnet18"),
        ("studies.mnist.training.width", 0.5),
        ("studies.mnist.training.normalise", False),
        ("studies.mnist.training.augment", True),
        ("studies.mnist.training.epochs", 9),
        ("studies.mnist.training.batch_size", 100),
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
        ("studies.mnist.evaluation.autoattack_examples", 10, "low-deepfool"),
        ("studies.mnist.evaluation.single_attack_examples", 10, "low-deepfool"),
        ("studies.mnist.scores.seeds", 2, "low-deepfool"),
        ("studies.mnist.scores.epoch", 2, "low-deepfool"),
        ("studies.mnist.scores.deepfool_taken", "in_pass", "low-deepfool"),
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


@pytest.mark.parametrize(
    ("name", "count"), [("autoattack_examples", 100), ("single_attack_examples", 200)]
)
def test_each_kind_of_attack_has_a_number_of_images(config, name, count):
    run = Run("mnist", "full", "1.0", 1, 0)
    set_at(config, f"studies.mnist.evaluation.{name}", count)
    one, other = evaluation_spec(run, PAPER), evaluation_spec(run, config)
    assert one.digest != other.digest
    before = PAPER["studies"]["mnist"]["evaluation"][name]
    assert (getattr(one, name), getattr(other, name)) == (before, count)


# Scores.


MNIST = Start("mnist", 1, 0)


def test_autoattack_may_be_run_on_the_networks_of_the_first_seeds_alone(config):
    set_at(config, "studies.mnist.evaluation.autoattack_seeds", 30)
    set_at(config, "studies.mnist.evaluation.autoattack_examples", 100)
    runs = [
        Run("mnist", method, "1.0", 1, seed) for method in ("full", "random") for seed in (29, 30)
    ]
    specs = [evaluation_spec(run, config) for run in runs]
    assert [spec.autoattack_examples for spec in specs] == [100, 0, 100, 0]
    assert {spec.single_attack_examples for spec in specs} == {None}


def test_autoattack_may_be_run_on_the_networks_of_listed_seeds_alone(config):
    set_at(config, "studies.mnist.evaluation.autoattack_seeds", [*range(30), *range(60, 90)])
    attacked = [
        evaluation_spec(Run("mnist", "full", "1.0", 1, seed), config).autoattack_examples > 0
        for seed in (0, 29, 30, 59, 60, 89, 90)
    ]
    assert attacked == [True, True, False, False, True, True, False]


def test_that_some_are_not_makes_no_other_evaluation_another(config):
    set_at(config, "studies.mnist.evaluation.autoattack_seeds", 30)
    run = Run("mnist", "full", "1.0", 1, 29)
    assert evaluation_spec(run, config).digest == evaluation_spec(run, PAPER).digest


def test_a_start_is_of_the_run_on_all_data_up_to_its_epoch(config):
    spec = start_spec(Start("mnist", 3, 5), config)
    assert (spec.training.run, spec.epoch) == (Run("mnist", "full", "1.0", 1, 5), 3)
    assert spec.start == Start("mnist", 3, 5)


@pytest.mark.parametrize("method", [name for name, each in METHODS.items() if each.adversarial])
def test_a_run_begins_as_its_start_says(config, method):
    set_at(config, "early_stopping.enabled", True)
    p = "0.5" if METHODS[method].select else "1.0"
    spec = training_spec(Run("mnist", method, p, 1, 5), config)
    assert spec.shares_start
    assert spec.on_all_data() == start_spec(Start("mnist", 1, 5), config).training


@pytest.mark.parametrize(
    ("method", "path", "value"),
    [
        ("standard", "scale", "paper"),
        ("low-loss", "paired_seeds", False),
        ("low-loss", "pruning.when", "before_epoch"),
    ],
)
def test_a_run_that_has_no_beginning_in_common_shares_no_start(config, method, path, value):
    set_at(config, path, value)
    p = "0.5" if METHODS[method].select else "1.0"
    assert not training_spec(Run("mnist", method, p, 1, 0), config).shares_start


def test_a_start_measures_what_the_figures_show_and_what_its_methods_prune_by(config):
    spec = start_spec(MNIST, config)
    assert (spec.losses, spec.distances) == (["after_pass", "in_pass"], ["after_pass"])
    # The experiment on the pruning epoch prunes by the loss alone, and no figure shows epoch 2.
    later = start_spec(Start("mnist", 2, 0), config)
    assert (later.losses, later.distances, later.deepfool) == (["in_pass"], [], None)


def test_a_start_that_no_run_goes_on_from_measures_what_the_figures_show_alone(config):
    set_at(config, "paired_seeds", False)
    set_at(config, "early_stopping.enabled", True)
    spec = start_spec(MNIST, config)
    assert (spec.losses, spec.distances) == (["after_pass"], ["after_pass"])
    assert spec.training.early_stopping is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("studies.mnist.scores.seeds", 2),
        ("studies.cifar10.scores.loss_taken", "in_pass"),
        ("execution.seeds_per_job", 1),
    ],
)
def test_what_has_no_effect_on_a_start_leaves_it_as_it_is(config, path, value):
    set_at(config, path, value)
    assert config != PAPER
    assert start_spec(MNIST, config) == start_spec(MNIST, PAPER)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("studies.mnist.scores.epoch", 2),
        ("studies.mnist.scores.loss_taken", "in_pass"),
        ("studies.mnist.scores.deepfool_taken", "in_pass"),
        ("pruning.deepfool_taken", "in_pass"),
        ("deepfool.max_iterations", 5),
        ("deepfool.unconverged", "zero"),
        ("execution.tf32", True),
        ("studies.mnist.training.batch_size", 100),
    ],
)
def test_what_has_an_effect_on_a_start_makes_it_another(config, path, value):
    set_at(config, path, value)
    digests = {start_spec(MNIST, each).digest for each in (PAPER, config)}
    assert len(digests) == 2


def test_of_another_seed_a_specification_differs_in_the_seed_alone(config):
    first, second = (Run("mnist", "low-loss", "0.5", 1, seed) for seed in (0, 7))
    assert training_spec(first, config).of_seed(7) == training_spec(second, config)
    assert start_spec(MNIST, config).of_seed(7) == start_spec(Start("mnist", 1, 7), config)
