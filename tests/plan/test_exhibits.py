"""Which runs each table and figure needs, and what specifies a run."""

import copy
from collections import Counter

import pytest
from workflow_tools import PROJECT

from advprune import plan
from advprune.plan.config import check_config, load_config
from advprune.spec.methods import METHODS, PruningMethod
from advprune.spec.runs import Run

SMOKE = load_config(PROJECT / "config/smoke.yaml")


@pytest.fixture
def config():
    """The default config, free to be changed."""
    return copy.deepcopy(load_config())


def counted(runs):
    return Counter((run.method, run.p, run.e) for run in runs)


def test_an_experiment_is_every_method_at_every_share_and_epoch_for_every_seed(config):
    config["studies"]["mnist"]["experiments"]["pruning_epoch"] = {
        "methods": ["low-loss", "random"],
        "p": [0.3],
        "e": [2, 5],
        "seeds": [4, 9],
    }
    assert plan.runs_of("pruning_epoch", config) == [
        Run("mnist", "low-loss", "0.3", 2, 4),
        Run("mnist", "low-loss", "0.3", 2, 9),
        Run("mnist", "low-loss", "0.3", 5, 4),
        Run("mnist", "low-loss", "0.3", 5, 9),
        Run("mnist", "random", "0.3", 2, 4),
        Run("mnist", "random", "0.3", 2, 9),
        Run("mnist", "random", "0.3", 5, 4),
        Run("mnist", "random", "0.3", 5, 9),
    ]


def test_at_p_1_every_method_and_epoch_is_the_one_run_with_full_data(config):
    config["studies"]["mnist"]["experiments"]["table1"] |= {"p": [1.0], "e": [1, 3], "seeds": 2}
    assert plan.runs_of("table1", config) == [
        Run("mnist", "full", "1.0", 1, 0),
        Run("mnist", "full", "1.0", 1, 1),
    ]


def test_a_run_with_no_adversary_has_one_name_whatever_p_and_e(config):
    for study in config["studies"].values():
        study["experiments"]["standard"] |= {"p": [0.5, 1.0], "e": [1, 2], "seeds": 1}
    assert plan.runs_of("standard_accuracy", config) == [
        Run("mnist", "standard", "1.0", 1, 0),
        Run("cifar10", "standard", "1.0", 1, 0),
    ]


@pytest.mark.parametrize(
    ("item", "count"),
    [
        pytest.param("figure3", 7 * 9 * 30 + 30, id="figure 3: 7 methods, 9 shares, and full data"),
        pytest.param("figure4", 7 * 9 * 5 + 5, id="figure 4: the same with 5 seeds"),
        pytest.param("figure5", 9 * 30 + 30 + 9 * 5 + 5, id="figure 5: low loss of both"),
        pytest.param("table1", 4 * 120, id="table 1: 4 rows of 120"),
        pytest.param("figure8", 4 * 120, id="figure 8: of table 1"),
        pytest.param(
            "pruning_epoch", 2 * 2 * 5 * 5, id="supplement: 2 methods, 2 shares, 5 epochs"
        ),
        pytest.param("standard_accuracy", 5 + 5, id="no adversary: 5 of each"),
        pytest.param("all", 2690, id="all, each once"),
    ],
)
def test_the_paper_needs_so_many_runs(config, item, count):
    assert len(plan.runs_of(item, config)) == count


def test_table_1_has_120_runs_of_each_of_its_rows(config):
    assert counted(plan.runs_of("table1", config)) == {
        ("full", "1.0", 1): 120,
        ("low-deepfool", "0.6", 1): 120,
        ("low-loss", "0.6", 1): 120,
        ("random", "0.6", 1): 120,
    }


def test_the_30_seeds_of_figure_3_are_the_first_of_the_120_of_table_1(config):
    row = ("low-loss", "0.6", 1)
    seeds = {
        item: [run.seed for run in plan.runs_of(item, config) if (run.method, run.p, run.e) == row]
        for item in ("figure3", "table1")
    }
    assert seeds == {"figure3": list(range(30)), "table1": list(range(120))}


def test_figure_5_needs_no_run_that_figures_3_and_4_do_not(config):
    drawn = {*plan.runs_of("figure3", config), *plan.runs_of("figure4", config)}
    assert set(plan.runs_of("figure5", config)) <= drawn


@pytest.mark.parametrize("name", ["config", "laptop", "quick", "smoke"])
def test_all_is_the_union_of_what_the_items_need_each_run_once(name):
    config = load_config(PROJECT / f"config/{name}.yaml")
    everything = plan.runs_of("all", config)
    needed = {run for item in plan.ITEMS for run in plan.runs_of(item, config)}
    assert everything == sorted(needed)


@pytest.mark.parametrize("item", plan.ITEMS)
def test_an_item_needs_no_run_twice(item):
    runs = plan.runs_of(item, SMOKE)
    assert len(set(runs)) == len(runs) > 0


def test_an_experiment_that_a_study_does_not_have_needs_no_runs(config):
    del config["studies"]["mnist"]["experiments"]["pruning_epoch"]
    assert plan.runs_of("pruning_epoch", config) == []


def test_a_new_pruning_method_is_planned_once_it_is_registered(config, monkeypatch):
    new = PruningMethod("Every other", None, lambda ordered, keep, generator: ordered[:keep])
    monkeypatch.setitem(METHODS, "every-other", new)
    config["studies"]["mnist"]["experiments"]["accuracy"] |= {"methods": ["every-other"]}
    check_config(config)
    methods = {run.method for run in plan.runs_of("figure3", config)}
    assert methods == {"every-other", "full"}


# What specifies a run.


@pytest.mark.parametrize(
    ("dataset", "field", "value"),
    [
        pytest.param("mnist", "epsilon", 0.3, id="bound on MNIST"),
        pytest.param("mnist", "step_size", 0.375, id="step on MNIST"),
        pytest.param("mnist", "epochs", 10, id="epochs on MNIST"),
        pytest.param("mnist", "optimiser", "adam", id="optimiser on MNIST"),
        pytest.param("mnist", "weight_decay", 0, id="weight decay on MNIST"),
        pytest.param("mnist", "max_learning_rate", 0.005, id="learning rate on MNIST"),
        pytest.param("cifar10", "epsilon", 8 / 255, id="bound on CIFAR10"),
        pytest.param("cifar10", "step_size", 10 / 255, id="step on CIFAR10"),
        pytest.param("cifar10", "epochs", 15, id="epochs on CIFAR10"),
        pytest.param("cifar10", "optimiser", "sgd", id="optimiser on CIFAR10"),
        pytest.param("cifar10", "momentum", 0.9, id="momentum on CIFAR10"),
        pytest.param("cifar10", "weight_decay", 0.0005, id="weight decay on CIFAR10"),
        pytest.param("cifar10", "max_learning_rate", 0.2, id="learning rate on CIFAR10"),
        pytest.param("cifar10", "network", "preact_resnet18", id="network on CIFAR10"),
    ],
)
def test_the_default_config_trains_as_the_papers_figure_7_says(config, dataset, field, value):
    spec = plan.training_spec(Run(dataset, "random", "0.6", 1, 0), config)
    assert getattr(spec, field) == value


@pytest.mark.parametrize("method", [name for name, how in METHODS.items() if not how.adversarial])
def test_a_run_without_adversary_has_no_bound(config, method):
    spec = plan.training_spec(Run("mnist", method, "1.0", 1, 0), config)
    assert (spec.epsilon, spec.step_size) == (None, None)


@pytest.mark.parametrize("method", METHODS)
def test_only_runs_that_use_deepfool_change_with_its_settings(config, method):
    run = Run("mnist", method, "0.6" if METHODS[method].select else "1.0", 1, 0)
    before = plan.training_spec(run, config)
    config["deepfool"]["max_iterations"] = 5
    changed = plan.training_spec(run, config) != before
    assert changed == (METHODS[method].proxy == "deepfool")


def set_at(config, path, value):
    *above, last = path.split(".")
    for key in above:
        config = config[key]
    config[last] = value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("scale", "elsewhere"),
        ("data_root", "data"),
        ("partial", True),
        ("execution.device", "cpu"),
        ("execution.threads", 8),
        ("execution.jobs_per_gpu", 2),
        ("studies.mnist.evaluation.test_examples", 10),
        ("studies.mnist.evaluation.seed", 1),
        ("studies.mnist.experiments.accuracy.seeds", 2),
        ("studies.cifar10.training.epochs", 3),
        ("figure2.examples", 10),
    ],
)
def test_what_has_no_effect_on_training_leaves_the_run_as_it_is(config, path, value):
    run = Run("mnist", "low-deepfool", "0.6", 1, 0)
    before = plan.training_spec(run, config)
    set_at(config, path, value)
    assert plan.training_spec(run, config) == before


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("execution.precision", "bfloat16"),
        ("execution.deterministic", True),
        ("deepfool.overshoot", 0.1),
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
    run = Run("mnist", "low-deepfool", "0.6", 1, 0)
    before = plan.training_spec(run, config)
    set_at(config, path, value)
    assert plan.training_spec(run, config).digest != before.digest


def test_a_whole_number_and_the_same_number_with_a_point_specify_the_same_run(config):
    run = Run("mnist", "low-deepfool", "0.6", 1, 0)
    before = plan.training_spec(run, config)
    for path in ("width", "momentum", "weight_decay"):
        now = config["studies"]["mnist"]["training"][path]
        set_at(config, f"studies.mnist.training.{path}", float(now))
    assert plan.training_spec(run, config).digest == before.digest


def test_an_evaluation_is_within_the_bound_that_the_study_trains_for(config):
    spec = plan.evaluation_spec(Run("cifar10", "standard", "1.0", 1, 0), config)
    assert spec.epsilon == 8 / 255


def test_an_evaluation_is_deterministic_if_the_config_says_so(config):
    run = Run("mnist", "full", "1.0", 1, 0)
    before = plan.evaluation_spec(run, config)
    config["execution"]["deterministic"] = True
    assert [before.deterministic, plan.evaluation_spec(run, config).deterministic] == [False, True]


def test_scores_come_from_a_run_that_knows_how_to_use_deepfool(config):
    spec = plan.score_spec("mnist", 2, 5, config)
    assert (spec.run.e, spec.run.seed, spec.deepfool is not None) == (2, 5, True)


def test_a_run_belongs_to_the_study_that_uses_its_data_set():
    assert plan.study_of("shapes10", SMOKE) is SMOKE["studies"]["cifar10"]
