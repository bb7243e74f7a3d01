"""The whole workflow from data to tables and figures, run once at the smoke scale."""

import csv
import itertools
import json
import re
import shutil

import pandas as pd
import pytest
from builders import write_hashed
from safetensors.numpy import load_file
from workflow_tools import BRIEFLY, PROJECT, SMOKE, job_counts, run_program, run_snakemake

from advprune.analysis.run_table import collect_runs
from advprune.plan.blocks import run_blocks, start_of, starts_of
from advprune.plan.config import load_config
from advprune.plan.exhibits import EXHIBITS, WITH_RUNS, runs_of
from advprune.plan.specify import evaluation_spec, start_spec, training_spec
from advprune.spec.datasets import DATASETS
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run
from advprune.storage.files import sha256_of
from advprune.training.pruning import count_to_keep

pytestmark = pytest.mark.workflow

CONFIG = load_config(PROJECT / "config/smoke.yaml")
RUNS = runs_of("all", CONFIG)
NAME = ["dataset", "method", "p", "e", "seed"]
TABLES, FIGURES = (
    [name for name, exhibit in EXHIBITS.items() if exhibit.folder == folder]
    for folder in ("tables", "figures")
)
# The toy model is made from no data set.
TABLES_OF_DATA = [name for name in TABLES if name not in ("appendix_c", "error_rates")]
PRUNED = [run for run in RUNS if METHODS[run.method].select]


@pytest.fixture(scope="session")
def project(finished):
    return finished[0]


@pytest.fixture(scope="session")
def results(project):
    return project / "results/smoke"


@pytest.fixture(scope="session")
def table(results):
    """The table of all runs."""
    return pd.read_csv(results / "runs.csv", dtype={"p": str})


def test_the_workflow_ends_well(finished):
    _, ended = finished
    assert ended.status == 0, ended.printed[-4000:]


# What it prints.


def test_no_line_that_a_run_prints_is_a_list_of_files(finished):
    _, ended = finished
    assert max(line.count("results/") for line in ended.printed.splitlines()) <= 12


def test_a_job_that_fails_is_shown_in_full_where_reasons_are_not(project, tmp_path):
    target = "results/datasets/mnist.safetensors"
    nowhere = {"ADVPRUNE_DATA": str(tmp_path / "nowhere")}
    ended = run_snakemake(*BRIEFLY, *SMOKE, "--", target, cwd=project, variables=nowhere)
    assert ended.status == 1
    assert "Error in rule dataset" in ended.printed
    assert f"error: {tmp_path / 'nowhere'}" in ended.printed  # the log's last line


@pytest.fixture
def reference(results):
    """A published reference beside the smoke scale's results, while a test runs."""
    page = results.parent / "reference/report.html"
    page.parent.mkdir()
    page.touch()
    yield page
    shutil.rmtree(page.parent)


def test_the_end_points_to_the_published_reference_first(project, reference):
    ended = run_program("where_to_look", "results/smoke", cwd=project)
    first = ended.printed.strip().splitlines()[0]
    assert str(reference.relative_to(project)) in first


def test_the_end_is_silent_about_a_reference_that_is_not_there(project):
    ended = run_program("where_to_look", "results/smoke", cwd=project)
    assert (ended.status, "reference" in ended.printed) == (0, False)


# What there is.


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("suffix", ["csv", "md", "tex", "html", "json"])
def test_a_table_is_there(results, name, suffix):
    assert (results / f"tables/{name}.{suffix}").stat().st_size > 0


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(
    ("suffix", "signature"), [("pdf", b"%PDF-"), ("png", b"\x89PNG\r\n\x1a\n")]
)
def test_a_figure_is_there(results, name, suffix, signature):
    assert (results / f"figures/{name}.{suffix}").read_bytes().startswith(signature)


@pytest.mark.parametrize(
    "path", [*(f"tables/{name}" for name in TABLES), *(f"figures/{name}" for name in FIGURES)]
)
def test_the_numbers_of_a_table_or_figure_are_there(results, path):
    numbers = pd.read_csv(results / f"{path}.csv")
    assert len(numbers) > 0
    assert not numbers.columns.str.startswith("Unnamed").any()


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_a_run_leaves_the_files_that_are_promised_and_no_others(results, run):
    by_epoch = ("by_epoch.csv", "by_epoch.json") if run in runs_of("by_epoch", CONFIG) else ()
    assert {path.name for path in (results / "runs" / run.folder).iterdir()} == {
        *("model.safetensors", "training.csv", "pruning.safetensors", "run.json"),
        *("evaluation.csv", "verdicts.csv", "evaluation.json", *by_epoch),
    }


# What stands on it.


@pytest.mark.parametrize("name", TABLES_OF_DATA)
@pytest.mark.parametrize("suffix", ["md", "tex", "html"])
def test_a_table_made_from_a_stand_in_says_so(results, name, suffix):
    text = (results / f"tables/{name}.{suffix}").read_text()
    assert "stand-in" in text
    assert "scale: smoke" in text


@pytest.mark.parametrize("name", TABLES)
def test_latex_tables_have_only_signs_that_every_latex_knows(results, name):
    text = (results / f"tables/{name}.tex").read_text()
    assert sorted({sign for sign in text if not sign.isascii()}) == []


def test_table_1_has_the_papers_rows(results):
    numbers = pd.read_csv(results / "tables/table1.csv", dtype={"p": str})
    rows = numbers[["method", "p", "n"]].to_numpy().tolist()
    assert rows == [
        ["low-deepfool", "0.5", 2],
        ["low-loss", "0.5", 2],
        ["random", "0.5", 2],
        ["full", "1.0", 2],
    ]


def test_figure_8_has_the_papers_tests(results):
    numbers = pd.read_csv(results / "tables/figure8.csv")
    tests = numbers.loc[numbers["metric"] == "autoattack_accuracy"]
    assert tests[["test", "method", "against", "n", "n_against"]].to_numpy().tolist() == [
        [1, "low-deepfool", "full", 2, 2],
        [1, "low-loss", "full", 2, 2],
        [2, "low-loss", "random", 2, 2],
    ]


# The verdicts.


@pytest.fixture(scope="session")
def claims(results):
    return pd.read_csv(results / "claims.csv", keep_default_na=False).set_index("id")


def test_a_claim_about_data_is_not_judged_by_stand_ins(claims):
    judged = claims.index[claims["verdict"] != "NOT RUN"]
    assert set(claims.loc[judged, "dataset"]) == {""}
    assert set(claims["other_verdict"]) == {"", "NOT RUN"}


def test_a_claim_about_the_toy_model_is_judged(claims):
    toy = claims.loc[claims["dataset"] == "", "verdict"]
    differing = toy.index[toy == "DIFFERS"]
    assert "NOT RUN" not in set(toy)
    assert list(differing) == ["appendix-c-robust-formula"]


def test_the_verdicts_are_counted_and_the_scale_named_where_they_are_read(results, claims):
    text = (results / "claims.md").read_text()
    counted = re.findall(r"^- (?!primary)[^:]+: (\d+): \d+ REPRODUCED", text, re.M)
    assert sum(map(int, counted)) == len(claims), text[-3000:]
    assert "not the paper's scale (mnist): dataset mnist5k instead of mnist" in text


def test_the_verdicts_in_latex_have_only_signs_that_every_latex_knows(results):
    assert (results / "claims.tex").read_text().isascii()


# The page with everything.


@pytest.fixture(scope="session")
def page(results):
    return (results / "report.html").read_text(encoding="utf-8")


def test_the_report_has_every_table_and_figure(page):
    assert [name for name in [*TABLES, *FIGURES] if f'<section id="{name}"' not in page] == []
    assert page.count("data:image/webp") == len(FIGURES)
    assert "Not there:" not in page


def test_the_report_can_be_sent_by_mail(page):
    assert len(page.encode()) < 6_000_000


def test_the_report_says_that_all_runs_are_there_and_that_the_data_are_stand_ins(page):
    assert f"{len(RUNS)} of {len(RUNS)} runs" in page
    assert "stand-in data:" in page
    assert "incomplete:" not in page


def test_the_report_names_no_path_of_the_machine(project, page):
    assert str(project) not in page


# The table of runs.


def test_the_page_on_results_explains_every_column_of_the_table_of_runs(table):
    text = (PROJECT / "docs/results.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`(\w+)`", text))
    explained |= {f"robust_after{name}" for name in re.findall(r"`…(\w+)`", text)}
    assert [name for name in table.columns if name not in explained] == []


def test_there_is_a_row_for_each_run(table):
    rows = [Run(*row) for row in table[NAME].itertuples(index=False)]
    assert rows == RUNS


@pytest.mark.parametrize("name", WITH_RUNS)
def test_a_table_or_figure_is_made_from_its_own_runs(results, name):
    runs = collect_runs(name, CONFIG, results / "runs")
    if EXHIBITS[name].variants:
        assert set(runs["variant"]) == {"", *CONFIG["variants"]}
        runs = runs[runs["variant"] == ""]
    assert [Run(*row) for row in runs[NAME].itertuples(index=False)] == runs_of(name, CONFIG)


ACCURACIES = ["natural_accuracy", "autoattack_accuracy", "apgd_ce_40x5_accuracy"]
ATTACKS = [f"robust_after_{attack}" for attack in ("apgd_ce", "apgd_t", "fab_t", "square")]


@pytest.mark.parametrize("column", [*ACCURACIES, *ATTACKS])
def test_an_accuracy_is_a_percentage(table, column):
    assert table[column].between(0, 100).all()


@pytest.mark.parametrize(("earlier", "later"), list(itertools.pairwise(ATTACKS)))
def test_no_more_images_stand_after_an_attack_than_before_it(table, earlier, later):
    assert (table[later] <= table[earlier]).all()


def test_autoattack_is_what_its_last_attack_leaves(table):
    assert (table["autoattack_accuracy"] == table["robust_after_square"]).all()


def test_as_many_images_are_attacked_as_the_config_says(table):
    for study in CONFIG["studies"].values():
        rows = table[table["dataset"] == study["dataset"]]
        for column in ("autoattack_examples", "single_attack_examples"):
            assert set(rows[column]) == {study["evaluation"][column]}


def test_natural_accuracy_is_over_the_whole_test_set(table):
    whole = [DATASETS[name].examples[1] for name in table["dataset"]]
    assert table["test_examples"].to_list() == whole


def test_as_many_examples_are_kept_as_p_says(table):
    kept = [
        count_to_keep(row.train_examples, row.p)
        if METHODS[row.method].select
        else row.train_examples
        for row in table.itertuples()
    ]
    assert table["kept_examples"].to_list() == kept


def test_training_and_evaluation_take_time(table):
    assert (table[["training_seconds", "evaluation_seconds"]] > 0).all(axis=None)


def test_only_runs_with_a_proxy_that_must_be_computed_spend_time_on_it(table):
    scored = table.loc[table["scoring_seconds"] > 0, "method"]
    deepfool = table.loc[[METHODS[name].proxy == "deepfool" for name in table["method"]], "method"]
    assert scored.to_list() == deepfool.to_list()


def test_counts_are_whole_numbers(results):
    with open(results / "runs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ["e", "seed", *(name for name in rows[0] if re.fullmatch("[^_]+_examples", name))]
    fractional = {column for row in rows for column in columns if not row[column].isdigit()}
    assert fractional == set()


# The summary.


@pytest.fixture(scope="session")
def summary(results):
    return pd.read_csv(results / "summary.csv", dtype={"p": str})


def test_the_summary_counts_the_seeds_of_each_row(table, summary):
    counts = table.groupby(NAME[:-1]).size()
    assert summary.set_index(NAME[:-1])["n"].to_dict() == counts.to_dict()


def test_the_summary_has_the_mean_of_its_runs(table, summary):
    means = table.groupby(NAME[:-1])["natural_accuracy"].mean()
    found = summary.set_index(NAME[:-1])["natural_accuracy_mean"]
    assert found.to_dict() == pytest.approx(means.to_dict())


def test_the_summary_has_an_interval_wherever_there_are_two_runs(summary):
    has_interval = summary["natural_accuracy_half_width"].notna()
    assert (has_interval == (summary["n"] > 1)).all()


# Single runs.


def record(results, run, name):
    return json.loads((results / "runs" / run.folder / name).read_text())


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_a_run_records_what_it_was_made_from(project, results, run):
    found = record(results, run, "run.json")
    spec = training_spec(run, CONFIG)
    assert (found["spec"], found["spec_digest"]) == (spec.to_dict(), spec.digest)
    assert found["dataset_sha256"] == sha256_of(
        project / f"results/datasets/{run.dataset}.safetensors"
    )


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_an_evaluation_records_what_it_was_made_from(results, run):
    found = record(results, run, "evaluation.json")
    spec = evaluation_spec(run, CONFIG)
    assert (found["spec"], found["spec_digest"]) == (spec.to_dict(), spec.digest)
    model = results / "runs" / run.folder / "model.safetensors"
    assert found["model_sha256"] == sha256_of(model)


def test_a_result_made_outside_a_repository_has_no_commit(results):
    assert record(results, RUNS[0], "run.json")["provenance"]["commit"] is None


@pytest.mark.parametrize("start", starts_of(RUNS, CONFIG), ids=str)
def test_a_start_records_what_it_was_made_from(project, results, start):
    found = json.loads((results / "starts" / start.folder / "start.json").read_text())
    assert found["spec"] == start_spec(start, CONFIG).to_dict()
    dataset = project / f"results/datasets/{start.dataset}.safetensors"
    assert found["dataset_sha256"] == sha256_of(dataset)


@pytest.mark.parametrize("start", starts_of(RUNS, CONFIG), ids=str)
def test_a_starts_state_is_deleted_when_no_run_needs_it_any_more(results, start):
    names = {path.name for path in (results / "starts" / start.folder).iterdir()}
    assert names == {"scores.safetensors", "model.safetensors", "start.json"}


BLOCKS = run_blocks(CONFIG)


def test_every_run_with_a_start_went_on_from_it(results):
    for block, runs in BLOCKS.items():
        begun = [run for run in runs if start_of(run, CONFIG)]
        log = (results / f"blocks/train/{block}.log").read_text()
        assert log.count("going on after epoch") == len(begun)


@pytest.mark.parametrize("run", PRUNED, ids=str)
def test_a_pruned_run_trains_on_all_examples_until_e_and_on_the_kept_ones_after(results, run):
    curve = pd.read_csv(results / "runs" / run.folder / "training.csv")
    found = record(results, run, "run.json")
    total, kept = found["train_examples"], found["kept_examples"]
    wanted = [total if epoch <= run.e else kept for epoch in curve["epoch"]]
    assert curve["examples"].to_list() == wanted


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_a_run_says_of_each_example_whether_it_was_kept(results, run):
    kept = load_file(results / "runs" / run.folder / "pruning.safetensors")["kept"]
    found = record(results, run, "run.json")
    assert (len(kept), int(kept.sum())) == (found["train_examples"], found["kept_examples"])


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_the_verdicts_on_single_images_add_up_to_the_accuracies(results, run):
    folder = results / "runs" / run.folder
    verdicts = pd.read_csv(folder / "verdicts.csv", keep_default_na=False)
    accuracies = pd.read_csv(folder / "evaluation.csv").iloc[0]
    attacked = verdicts[verdicts["broken_by"] != ""]
    alone = verdicts[verdicts["apgd_ce_40x5"] != ""]
    assert (
        100 * (verdicts["prediction"] == verdicts["label"]).mean(),
        100 * (attacked["broken_by"] == "none").mean(),
        100 * (alone["apgd_ce_40x5"].astype(int) == 1).mean(),
    ) == pytest.approx(tuple(accuracies[ACCURACIES]))


def test_until_they_prune_runs_of_the_same_seed_are_the_same(results):
    first = {}
    for run in RUNS:
        if METHODS[run.method].adversarial:
            curve = pd.read_csv(results / "runs" / run.folder / "training.csv")
            values = tuple(curve.loc[0, ["examples", "learning_rate", "loss", "accuracy"]])
            first.setdefault((run.dataset, run.seed), set()).add(values)
    # The learning rate at an epoch's end, and so all before it, does not depend on what is pruned.
    assert {seed: len(different) for seed, different in first.items()} == dict.fromkeys(first, 1)


# Once more.


def measures_distances(block):
    start = start_of(BLOCKS[block][0], CONFIG)
    return start and start_spec(start, CONFIG).distances


def test_a_second_call_does_nothing(project, finished):
    ended = run_snakemake(*SMOKE, cwd=project)
    assert "Nothing to be done" in ended.printed, ended.printed[-3000:]


@pytest.mark.parametrize(
    ("overlay", "trained"),
    [
        pytest.param("data_root: elsewhere", 0, id="where the data lie"),
        pytest.param("execution: {device: cpu}", 0, id="device"),
        pytest.param("execution: {threads: 2}", 0, id="threads"),
        pytest.param("figure2: {perplexity: 10}", 0, id="a setting of a figure"),
        pytest.param("studies: {mnist: {evaluation: {seed: 1}}}", 0, id="seed of the attacks"),
        pytest.param(
            "studies: {mnist: {experiments: {standard: {seeds: 2}}}}", 1, id="one more seed"
        ),
        pytest.param(
            "deepfool: {max_iterations: 5}",
            # All that go on from a start with distances: jobs keep the runs that use none.
            len([block for block in BLOCKS if measures_distances(block)]),
            id="settings of DeepFool",
        ),
        pytest.param(
            "studies: {cifar10: {training: {momentum: 0.8}}}",
            len([block for block in BLOCKS if block.startswith("shapes10/")]),
            id="settings of one study",
        ),
    ],
)
def test_a_changed_config_starts_the_jobs_that_it_changes_and_no_others(
    project, finished, tmp_path, overlay, trained
):
    (tmp_path / "overlay.yaml").write_text(overlay)
    planned = run_snakemake("-n", *SMOKE, tmp_path / "overlay.yaml", cwd=project)
    assert planned.status == 0, planned.printed[-3000:]
    assert job_counts(planned.printed).get("train", 0) == trained


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "md", "tex", "html", "json"])
def test_the_verdicts_are_made_again_if_one_of_their_files_was_deleted(project, results, suffix):
    path, aside = results / f"claims.{suffix}", results / "aside"
    path.rename(aside)
    try:
        planned = job_counts(run_snakemake("-n", *SMOKE, cwd=project).printed)
    finally:
        aside.rename(path)
    assert planned == {"claims": 1, "replication": 1, "report": 1, "all": 1, "total": 4}


def test_the_config_is_written_down_again_if_it_was_deleted(project, results):
    path, aside = results / "config.json", results / "aside"
    path.rename(aside)
    try:
        planned = job_counts(run_snakemake("-n", *SMOKE, cwd=project).printed)
    finally:
        aside.rename(path)
    assert (planned["write_config"], "train" in planned) == (1, False)


def test_results_of_another_config_are_refused_in_words(project, results, tmp_path):
    config = json.loads((results / "config.json").read_text())
    config["studies"]["mnist"]["training"]["epsilon"] = 0.2
    write_hashed(tmp_path / "config.json", json.dumps(config))
    ended = run_program(
        *("collect", "--config", tmp_path / "config.json"),
        *("--runs", results / "runs", "--output", tmp_path / "runs.csv"),
        cwd=project,
    )
    assert ended.status == 1
    assert "run.json was made with another specification: epsilon was 0.3" in ended.printed
    assert "Traceback" not in ended.printed


# The report that Snakemake packs.


@pytest.fixture(scope="session")
def report(project, finished, tmp_path_factory):
    """The folder of `snakemake --report`, unpacked."""
    folder = tmp_path_factory.mktemp("report")
    ended = run_snakemake(*SMOKE, "--report", folder / "report.zip", cwd=project)
    assert ended.status == 0, ended.printed[-3000:]
    shutil.unpack_archive(folder / "report.zip", folder)
    return folder / "report"


def variable(report, name):
    """What the report's page holds for its reader, as JSON."""
    page = (report / "report.html").read_text(encoding="utf-8")
    return re.search(rf'^ +var {name} = ([{{"].*);$', page, re.M)[1]


@pytest.fixture(scope="session")
def reported(report):
    """What is in the report, as it is shown: sorted by its labels."""
    entries = json.loads(variable(report, "results"))
    return sorted(entries.values(), key=lambda entry: list(entry["labels"].values()))


def test_the_report_has_every_table_and_figure_in_the_papers_order(reported):
    names = [entry["name"].partition(".")[0] for entry in reported]
    assert names == ["claims", *EXHIBITS]


def test_the_report_names_a_result_as_the_paper_does(reported):
    for entry in reported:
        number = re.fullmatch(r"(figure|table)(\d)\.\w+", entry["name"])
        if number:
            assert f"{number[1].title()} {number[2]}: " in entry["labels"]["result"]


def test_every_result_in_the_report_has_a_caption(reported):
    assert [entry["name"] for entry in reported if len(entry["caption"]) < 40] == []


def test_no_caption_in_the_report_is_broken(report):
    for name in ("results", "workflow_desc"):
        assert "system-message" not in variable(report, name)
        assert "problematic" not in variable(report, name)


def test_the_report_holds_the_files_themselves(report, reported, results):
    for entry in reported:
        (made,) = results.rglob(entry["name"])
        assert (report / entry["data_uri"]).read_bytes() == made.read_bytes()


def test_the_report_says_at_which_scale_it_was_made(report):
    assert "smoke" in variable(report, "workflow_desc")
