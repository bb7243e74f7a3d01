"""What snakemake plans to do, and what it refuses, seen in dry runs of a fresh copy."""

import json
import os
import re

import pytest
from workflow_tools import PROJECT, copy_project, job_counts, run_snakemake

from advprune.paths import RESULT_FILES, checkpoint_of
from advprune.plan.config import load_config
from advprune.plan.exhibits import EXHIBITS, is_asked_for, runs_of

pytestmark = pytest.mark.workflow


@pytest.fixture
def project(tmp_path):
    """A copy of the project without results, to be changed."""
    return copy_project(tmp_path / "project")


ONCE = ("write_config", "collect", "summarise", "claims", "report", "all")


@pytest.mark.parametrize(
    ("scale", "blocks", "starts"),
    [("config", 158, 9), ("laptop", 28, 4), ("quick", 4, 3), ("smoke", 13, 4)],
)
def test_a_scale_is_planned_as_so_many_jobs_of_each_rule(dry_runs, scale, blocks, starts):
    planned = dry_runs(scale)
    config = load_config(PROJECT / f"config/{scale}.yaml")
    exhibits = [name for name in EXHIBITS if is_asked_for(EXHIBITS[name], config)]
    # However many runs there are, every table and figure is made once.
    jobs = dict.fromkeys([*ONCE, *exhibits], 1)
    jobs |= {"train": blocks, "evaluate": blocks, "dataset": 2, "start": starts}
    if runs_of("by_epoch", config):
        jobs["attack_by_epoch"] = 2
    assert job_counts(planned.printed) == jobs | {"total": sum(jobs.values())}, planned.printed


def test_planning_grows_no_faster_than_the_number_of_jobs(dry_runs):
    # CPU time: what other programs do meanwhile does not count. About a sixth of it, measured.
    many, few = dry_runs("config"), dry_runs("smoke")
    jobs = [job_counts(planned.printed)["total"] for planned in (many, few)]
    assert many.cpu_seconds / few.cpu_seconds < jobs[0] / jobs[1]


@pytest.mark.parametrize(
    ("target", "rules"),
    [
        ("tables", {name for name, exhibit in EXHIBITS.items() if exhibit.folder == "tables"}),
        (
            "figures",  # one of which shows what is claimed
            {name for name, exhibit in EXHIBITS.items() if exhibit.folder == "figures"}
            | {"claims", "correlations", "appendix_c"},
        ),
        ("claims", {"claims", "figure2", "correlations", "appendix_c"}),
        ("cifar10", {"figure4"}),
        (
            "mnist",
            {
                *("figure2", "figure2_features", "figure3", "table1", "figure8"),
                *("distribution", "pruning_epoch"),
            },
        ),
    ],
)
def test_a_target_makes_its_tables_and_figures_and_no_others(untouched, target, rules):
    planned = run_snakemake(
        "-n", "--cores", "1", "--configfile", "config/smoke.yaml", "--", target, cwd=untouched
    )
    drawn = set(job_counts(planned.printed)) & {"claims", *EXHIBITS}
    assert drawn == rules, planned.printed[-2000:]


def test_half_of_the_paper_can_be_made_without_the_other(untouched):
    planned = run_snakemake(
        "-n", "--cores", "1", "--configfile", "config/smoke.yaml", "--", "cifar10", cwd=untouched
    )
    assert "mnist5k" not in planned.printed


def test_nothing_is_trained_by_a_partial_run_though_what_exists_is_incomplete_and_old(project):
    for run in runs_of("all", load_config(PROJECT / "config/smoke.yaml")):
        folder = project / "results/smoke/runs" / run.folder
        folder.mkdir(parents=True)
        for name in RESULT_FILES:
            (folder / name).touch()
        # Older than what it was made from: a run that is not partial would evaluate again.
        os.utime(folder / "evaluation.json", (1, 1))
    overlays = ("config/smoke.yaml", "config/partial.yaml")
    planned = run_snakemake("-n", "--cores", "1", "--configfile", *overlays, cwd=project)
    jobs = job_counts(planned.printed)
    assert ({"train", "evaluate", "start"} & set(jobs), jobs.get("table1")) == (set(), 1)


@pytest.mark.parametrize(("overlays", "left"), [((), False), (("config/partial.yaml",), True)])
def test_states_that_runs_go_on_from_outlive_a_partial_call_alone(project, overlays, left):
    record = project / "results/smoke/starts/mnist5k/e1/seed000/start.json"
    record.parent.mkdir(parents=True)
    record.touch()
    checkpoint_of(record).touch()
    place = "results/smoke/partial" if overlays else "results/smoke"
    arguments = ("--configfile", "config/smoke.yaml", *overlays, "--", f"{place}/config.json")
    ended = run_snakemake("--cores", "1", *arguments, cwd=project)
    assert ended.status == 0, ended.printed
    assert checkpoint_of(record).exists() == left


@pytest.mark.parametrize(
    ("configs", "results"),
    [
        pytest.param(["quick"], "quick", id="quick"),
        pytest.param(["smoke", "released"], "smoke-released", id="smoke, released"),
    ],
)
def test_the_config_that_is_written_down_is_the_one_that_the_library_loads(
    project, configs, results
):
    path = f"results/{results}/config.json"
    overlays = [f"config/{name}.yaml" for name in configs]
    ended = run_snakemake("--cores", "1", "--configfile", *overlays, "--", path, cwd=project)
    assert ended.status == 0, ended.printed
    loaded = load_config(*(PROJECT / overlay for overlay in overlays))
    assert json.loads((project / path).read_text()) == loaded


def test_the_released_protocol_plans_the_same_jobs_into_a_folder_of_its_own(dry_runs):
    paper, released = dry_runs("smoke"), dry_runs("smoke", "released")
    # Its runs share no starts: those of the pruning epoch 2, and of the variant, are not needed.
    fewer = {name: job_counts(paper.printed)[name] - 2 for name in ("start", "total")}
    assert job_counts(released.printed) == job_counts(paper.printed) | fewer
    assert "results/smoke-released/" in released.printed
    assert "results/smoke/" not in released.printed


@pytest.mark.parametrize(
    ("configs", "scale", "epoch"),
    [(("smoke",), "smoke", 1), (("smoke", "released"), "smoke-released", 2)],
    ids=["paper", "released"],
)
def test_figure_6_takes_cifar10s_scores_after_the_protocols_epoch(dry_runs, configs, scale, epoch):
    printed = dry_runs(*configs).printed
    assert f"results/{scale}/blocks/start/shapes10/e{epoch}/all.json" in printed


def test_a_block_that_the_config_does_not_ask_for_is_refused_in_words(untouched):
    target = "results/smoke/blocks/train/mnist5k/random/p0.7/e1/all.json"
    ended = run_snakemake(
        "-n", "--cores", "1", "--configfile", "config/smoke.yaml", "--", target, cwd=untouched
    )
    assert ended.status == 1
    assert "the config asks for nothing in the block mnist5k/random/p0.7/e1/all" in ended.printed


# Wrong configs, one of each kind, as Snakemake refuses them; the library's own tests have more.


@pytest.mark.parametrize(
    ("overlay", "told"),
    [
        pytest.param("partail: true", ["partail is no key", "'partial'"], id="misspelt key"),
        pytest.param(
            "studies: {mnist: {training: {epochs: ten}}}",
            ["training.epochs is 'ten'", "a whole number"],
            id="word where a number belongs",
        ),
        pytest.param("protocol: papre", ["protocol is 'papre'", "paper, released"], id="protocol"),
    ],
)
def test_a_wrong_config_is_refused_in_one_message(untouched, tmp_path, overlay, told):
    (tmp_path / "overlay.yaml").write_text(overlay)
    ended = run_snakemake(
        "-n", "--cores", "1", "--configfile", tmp_path / "overlay.yaml", cwd=untouched
    )
    check_refusal(ended, told)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        pytest.param("device=cuda", ["device is no key"], id="a key that is further down"),
        pytest.param("partial=true", ["partial is 'true'", "config file"], id="text for a flag"),
    ],
)
def test_a_wrong_setting_on_the_command_line_is_refused_in_one_message(untouched, setting, told):
    check_refusal(run_snakemake("-n", "--cores", "1", "--config", setting, cwd=untouched), told)


@pytest.mark.parametrize(
    ("overlay", "told"),
    [
        pytest.param(
            "studies: {mnist: {train_examples: 300}}\nstudies: {cifar10: {train_examples: 200}}\n",
            ["'studies' is given twice in lines 1 and 2"],
            id="a block given twice",
        ),
        pytest.param(
            "studies: {cifar10: {training: {weight_decay: 5e-4}}}",
            ["weight_decay is '5e-4'", "text in YAML: write 5.0e-4"],
            id="a number that is text",
        ),
    ],
)
def test_what_yaml_would_lose_or_misread_is_refused(untouched, tmp_path, overlay, told):
    path = tmp_path / "overlay.yaml"
    path.write_text(overlay)
    ended = run_snakemake("-n", "--cores", "1", "--configfile", path, cwd=untouched)
    assert (ended.status, "Traceback" in ended.printed) == (1, False)
    assert [part for part in told if part not in ended.printed] == [], ended.printed


@pytest.mark.parametrize("cores", ["0", "-1"])
def test_a_number_of_cores_that_is_none_is_refused(untouched, cores):
    ended = run_snakemake("-n", "--cores", cores, cwd=untouched)
    assert (ended.status, "Traceback" in ended.printed) == (1, False)
    assert f"--cores is {cores}, but must be 1 or more" in ended.printed


def test_the_projects_own_config_is_read_as_strictly(project):
    with open(project / "config/config.yaml", "a") as file:
        file.write("scale: twice\n")
    ended = run_snakemake("-n", "--cores", "1", cwd=project)
    assert ended.status == 1
    assert "config/config.yaml cannot be read: the key 'scale' is given twice" in ended.printed


def check_refusal(ended, told):
    lines = [line for line in ended.printed.split("\n") if line.startswith("config: ")]
    assert ended.status != 0
    assert len(lines) == 1, ended.printed
    assert [part for part in told if part not in lines[0]] == [], lines[0]
    assert "Traceback" not in ended.printed


def test_a_job_is_given_as_many_threads_as_the_config_says_on_however_many_cores(
    untouched, tmp_path
):
    overlay = tmp_path / "threads.yaml"
    overlay.write_text("execution: {threads: 3}\n")
    ended = run_snakemake(
        *("-n", "-p", "--cores", "1", "--configfile", "config/smoke.yaml", overlay), cwd=untouched
    )
    given = re.findall(r"(train|evaluate|start)\.py .*--threads (\d+)", ended.printed)
    assert set(given) == {(name, "3") for name in ("train", "evaluate", "start")}


def test_a_setting_on_the_command_line_that_changes_no_number_changes_no_parameter(
    untouched, tmp_path
):
    target = "results/smoke/config.json"
    printed = {
        json.dumps(re.findall(r"write_config\.py --config (.*)", planned.printed))
        for setting in ([], ["--config", f"data_root={tmp_path}"])
        for planned in [
            run_snakemake(
                *("-n", "-p", "--configfile", "config/smoke.yaml", *setting, "--", target),
                cwd=untouched,
            )
        ]
    }
    assert len(printed) == 1
    assert "mnist5k" in printed.pop()


def test_what_is_published_does_not_say_where_the_data_lie(untouched, tmp_path):
    overlay = tmp_path / "private.yaml"
    overlay.write_text("data_root: /home/somebody/data\n")
    target = "results/smoke/config.json"
    ended = run_snakemake(
        *("-n", "-p", "--configfile", "config/smoke.yaml", overlay, "--", target), cwd=untouched
    )
    assert '"data_root": null' in ended.printed
    assert "somebody" not in ended.printed
