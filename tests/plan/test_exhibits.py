"""The registry of tables and figures, and the runs that each is made from."""

import copy
import pkgutil
import subprocess
import sys
from collections import Counter

import pytest
from workflow_tools import PROJECT, run_program

from advprune import plan
from advprune.paths import CAPTIONS
from advprune.plan.config import check_config, load_config, write_config
from advprune.plan.exhibits import EXHIBITS, WITH_RUNS, is_asked_for, runs_of, scored
from advprune.spec.methods import METHODS, PruningMethod

PAPER, SMOKE = load_config(), load_config(PROJECT / "config/smoke.yaml")


@pytest.mark.parametrize("name", EXHIBITS)
def test_a_table_or_figure_has_a_function_and_a_caption_of_its_name(name):
    assert pkgutil.resolve_name(EXHIBITS[name].code).__name__ == name
    assert (CAPTIONS / f"{name}.rst").read_text(encoding="utf-8").strip()


def loaded_by(*modules):
    """The packages that are loaded once these modules are."""
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys, {', '.join(modules)}; print(*sys.modules)"],
        cwd=PROJECT / "workflow/scripts",
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in ended.stdout.split()}


def test_a_plan_is_made_without_what_takes_long_to_load():
    # The workflow asks for names and numbers before any job starts, and again in each job.
    loaded = loaded_by(
        *(each.name for each in pkgutil.iter_modules(plan.__path__, "advprune.plan."))
    )
    assert loaded & {"torch", "numpy", "pandas", "scipy", "sklearn", "matplotlib"} == set()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["figure3"], "figure3 needs --runs"),
        (["kept", "--claims", "none"], "kept needs --runs"),
        (["replication"], "replication needs --claims"),
        (["figure2", "--dataset", "none"], "figure2 needs --scores"),
        (
            ["figure6", "--scores", "none"],
            "figure6 needs --scores of mnist by seed 0, cifar10 by seed 0, in this order",
        ),
        (
            ["correlations", "--scores", "none", "none"],
            "of mnist by seed 0, mnist by seed 1, cifar10 by seed 0, cifar10 by seed 1",
        ),
    ],
)
def test_the_program_says_what_a_table_or_figure_needs(tmp_path, arguments, told):
    write_config(tmp_path / "config.json", SMOKE)
    options = ("--config", tmp_path / "config.json", "--output", tmp_path / "out.csv")
    ended = run_program("exhibit", *arguments, *options, cwd=PROJECT)
    assert (ended.status, told in ended.printed) == (2, True), ended.printed


def test_what_needs_no_pytorch_is_made_without_it():
    # The environment of its rule has none.
    light = [each.code.split(":")[0] for each in EXHIBITS.values() if not each.torch]
    assert "torch" not in loaded_by(*light)


@pytest.mark.parametrize(
    ("name", "count"),
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
def test_the_paper_needs_so_many_runs(name, count):
    assert len(runs_of(name, PAPER)) == count


def test_table_1_has_120_runs_of_each_of_its_rows():
    counted = Counter((run.method, run.p, run.e) for run in runs_of("table1", PAPER))
    assert counted == {
        ("full", "1.0", 1): 120,
        ("low-deepfool", "0.6", 1): 120,
        ("low-loss", "0.6", 1): 120,
        ("random", "0.6", 1): 120,
    }


def test_the_30_seeds_of_figure_3_are_the_first_of_the_120_of_table_1():
    row = ("low-loss", "0.6", 1)
    seeds = {
        name: [run.seed for run in runs_of(name, PAPER) if (run.method, run.p, run.e) == row]
        for name in ("figure3", "table1")
    }
    assert seeds == {"figure3": list(range(30)), "table1": list(range(120))}


def test_figure_5_needs_no_run_that_figures_3_and_4_do_not():
    drawn = {*runs_of("figure3", PAPER), *runs_of("figure4", PAPER)}
    assert set(runs_of("figure5", PAPER)) <= drawn


@pytest.mark.parametrize("scale", ["config", "laptop", "quick", "smoke"])
def test_all_is_the_union_of_what_tables_and_figures_need_each_run_once(scale):
    config = load_config(PROJECT / f"config/{scale}.yaml")
    needed = {run for name in WITH_RUNS for run in runs_of(name, config)}
    assert runs_of("all", config) == sorted(needed)


@pytest.mark.parametrize("name", WITH_RUNS)
def test_a_table_or_figure_needs_no_run_twice(name):
    runs = runs_of(name, SMOKE)
    assert len(set(runs)) == len(runs) > 0


def test_a_new_pruning_method_is_planned_once_it_is_registered(monkeypatch):
    new = PruningMethod("Every other", None, "advprune.training.pruning:drop_nearest")
    monkeypatch.setitem(METHODS, "every-other", new)
    config = copy.deepcopy(PAPER)
    config["studies"]["mnist"]["experiments"]["accuracy"] |= {"methods": ["every-other"]}
    check_config(config)
    assert {run.method for run in runs_of("figure3", config)} == {"every-other", "full"}


# Curves, and what is kept.


@pytest.fixture
def config():
    """The default config, free to be changed."""
    return copy.deepcopy(PAPER)


DATASETS = ("mnist", "cifar10")


def shares_of(name, config):
    """Data set to the shares p of an exhibit's runs."""
    runs = runs_of(name, config)
    return {dataset: {run.p for run in runs if run.dataset == dataset} for dataset in DATASETS}


def test_the_papers_curves_are_of_all_data_and_of_table_1s_share(config):
    assert shares_of("curves", config) == {name: {"0.6", "1.0"} for name in DATASETS}
    assert len(runs_of("curves", config)) == 4 * 120 + 8 * 5


def test_curves_of_an_experiment_without_that_share_are_of_the_nearest(config):
    config["studies"]["mnist"]["experiments"]["table1"]["p"] = [0.3, 1.0]
    config["studies"]["cifar10"]["experiments"]["accuracy"]["p"] = [0.2, 0.5, 0.9, 1.0]
    assert shares_of("curves", config) == {"mnist": {"0.3", "1.0"}, "cifar10": {"0.2", "1.0"}}


def test_curves_can_be_of_all_data_alone(config):
    config["studies"]["mnist"]["experiments"]["table1"]["p"] = [1.0]
    assert shares_of("curves", config) == {"mnist": {"1.0"}, "cifar10": {"0.6", "1.0"}}


def test_what_is_kept_is_of_every_run_that_prunes(config):
    everything = runs_of("kept", config)
    assert {run.method for run in everything} & {"full", "standard"} == set()
    # Figures 3 and 4, and of Table 1 the 90 seeds of three methods that they do not have.
    assert len(everything) == 7 * 9 * 30 + 7 * 9 * 5 + 3 * 90
    assert len(set(everything)) == len(everything)


# What an exhibit is made from beside the table of runs.


@pytest.mark.parametrize("name", EXHIBITS)
def test_only_exhibits_with_runs_are_made_from_files_of_theirs(name):
    assert not EXHIBITS[name].run_files or EXHIBITS[name].runs


@pytest.mark.parametrize(
    ("name", "seeds"),
    [("figure2", 5), ("figure2_features", 1), ("figure6", 1), ("correlations", 5)],
)
def test_scores_are_needed_of_one_network_or_of_every_one(config, name, seeds):
    for study in config["studies"].values():
        study["scores"]["seeds"] = 5
    wanted = [(study, seed) for study in EXHIBITS[name].scores for seed in range(seeds)]
    assert scored(EXHIBITS[name], config) == wanted


def test_the_first_of_a_list_of_seeds_is_shown(config):
    config["studies"]["mnist"]["scores"]["seeds"] = [7, 3]
    assert scored(EXHIBITS["figure2_features"], config) == [("mnist", 7)]


def test_a_study_without_seeds_has_no_runs_no_scores_and_no_figure(config):
    cifar10 = config["studies"]["cifar10"]
    for part in (*cifar10["experiments"].values(), cifar10["scores"]):
        part["seeds"] = 0
    check_config(config)
    assert {run.dataset for run in runs_of("all", config)} == {"mnist"}
    assert scored(EXHIBITS["figure6"], config) == [("mnist", 0)]
    left_out = [name for name in EXHIBITS if not is_asked_for(EXHIBITS[name], config)]
    # The paper's config has no variants, and attacks no run by epoch.
    assert left_out == ["figure4", "sensitivity", "switches", "by_epoch"]


def test_without_any_seeds_there_is_what_is_made_from_no_runs(config):
    for study in config["studies"].values():
        for part in (*study["experiments"].values(), study["scores"]):
            part["seeds"] = []
    check_config(config)
    made = [name for name in EXHIBITS if is_asked_for(EXHIBITS[name], config)]
    assert made == ["figure1", "figure7", "appendix_c", "error_rates"]
