"""From the files of single runs to one table of runs."""

import copy
import re
import subprocess

import pandas as pd
import pytest
from builders import write_hashed
from workflow_tools import PROJECT, run_program

from advprune.analysis.run_table import collect_runs, read_runs, write_runs
from advprune.analysis.scores import check_scores
from advprune.errors import UserError
from advprune.plan.config import load_config, write_config
from advprune.plan.exhibits import runs_of
from advprune.plan.specify import evaluation_spec, score_spec, training_spec
from advprune.storage.files import sha256_of
from advprune.storage.records import read_record, write_record

ACCURACIES = (
    "natural_accuracy,autoattack_accuracy,apgd_ce_40x5_accuracy,"
    "robust_after_apgd_ce,robust_after_apgd_t,robust_after_fab_t,robust_after_square,"
    "test_examples,attacked_examples\n"
    "97.3,25.0,50.0,50.0,25.0,25.0,25.0,1000,4\n"
)
FILES = ["run.json", "evaluation.json", "evaluation.csv"]


@pytest.fixture
def config():
    """Two runs for figure 8: random at p = 0.5 and full data."""
    config = copy.deepcopy(load_config(PROJECT / "config/smoke.yaml"))
    config["studies"]["mnist"]["experiments"]["table1"] = {
        "methods": ["random"],
        "p": [0.5, 1.0],
        "e": [1],
        "seeds": [3],
    }
    return config


@pytest.fixture
def folder(config, tmp_path):
    """Results of those runs, written by hand."""
    for run in runs_of("figure8", config):
        place = tmp_path / run.folder
        place.mkdir(parents=True)
        spec = training_spec(run, config)
        (place / "model.safetensors").write_text("the network")
        training = {
            "spec": spec.to_dict(),
            "spec_digest": spec.digest,
            "seconds": {"training": 10.0, "scoring": 2.0, "pruning": 0.5},
            "train_examples": 500,
            "kept_examples": 250,
            "diverged_epoch": None,
            "stopped_epoch": None,
            "model_sha256": sha256_of(place / "model.safetensors"),
            "dataset_sha256": "abcdef0123456789",
            "provenance": {
                "source": "0123456789abcdef",
                "device": "cpu: x86_64",
                "packages": {"torch": "2.0"},
                "threads": 3,
            },
        }
        spec = evaluation_spec(run, config)
        evaluation = {
            "spec": spec.to_dict(),
            "spec_digest": spec.digest,
            "seconds": {"natural": 1.0, "square": 3.0},
            "model_sha256": sha256_of(place / "model.safetensors"),
            "dataset_sha256": "abcdef0123456789",
            "provenance": {
                "source": "fedcba9876543210",
                "device": "cuda: H200",
                "packages": {"torch": "2.10"},
            },
        }
        (place / "evaluation.csv").write_text(ACCURACIES)
        (place / "verdicts.csv").write_text("index\n0\n")
        (place / "pruning.safetensors").write_text("the scores")
        (place / "training.csv").write_text("epoch\n1\n")
        trained = ("model.safetensors", "pruning.safetensors", "training.csv")
        write_record(place / "run.json", training, [place / name for name in trained])
        measured = [place / "evaluation.csv", place / "verdicts.csv"]
        write_record(place / "evaluation.json", evaluation, measured)
    return tmp_path


@pytest.fixture
def place(config, folder):
    """The folder of one of the runs, to be spoilt."""
    return folder / runs_of("figure8", config)[-1].folder


def rewrite(path, change):
    """Write a record as if it had been made otherwise."""
    content = read_record(path)
    change(content)
    files = [path.with_name(name) for name in content.pop("files")]
    write_record(path, content, files)


def refusal(config, folder):
    """The message with which a result is refused."""
    with pytest.raises(UserError) as caught:
        collect_runs("figure8", config, folder)
    return str(caught.value)


def test_there_is_a_row_for_each_run_with_its_name(config, folder):
    table = collect_runs("figure8", config, folder)
    names = table[["dataset", "method", "p", "e", "seed"]].to_numpy().tolist()
    assert names == [["mnist5k", "full", "1.0", 1, 3], ["mnist5k", "random", "0.5", 1, 3]]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("natural_accuracy", 97.3),
        ("autoattack_accuracy", 25.0),
        ("apgd_ce_40x5_accuracy", 50.0),
        ("robust_after_square", 25.0),
        ("attacked_examples", 4),
        ("training_seconds", 12.5),
        ("scoring_seconds", 2.0),
        ("evaluation_seconds", 4.0),
        ("train_examples", 500),
        ("kept_examples", 250),
        ("diverged_epoch", None),
        ("stopped_epoch", None),
        ("device", "cpu: x86_64"),
        ("torch", "2.0"),
        ("source", "0123456789ab"),
        ("threads", 3),
        ("dataset_sha256", "abcdef012345"),
        ("evaluation_device", "cuda: H200"),
        ("evaluation_torch", "2.10"),
        ("evaluation_source", "fedcba987654"),
    ],
)
def test_a_row_holds_what_the_runs_files_say(config, folder, column, value):
    table = collect_runs("figure8", config, folder)
    assert table[column].to_list() == [value, value]


def test_a_run_that_was_not_scored_spent_no_time_on_it(config, folder, place):
    rewrite(place / "run.json", lambda content: content["seconds"].pop("scoring"))
    assert collect_runs("figure8", config, folder)["scoring_seconds"].to_list() == [2.0, 0.0]


@pytest.mark.parametrize(("timed", "seconds"), [(False, 12.5), (True, 19.5)])
def test_training_seconds_count_validation_only_if_it_is_timed(config, folder, timed, seconds):
    for run in runs_of("figure8", config):
        path = folder / run.folder / "run.json"
        rewrite(path, lambda content: content["seconds"].update(validation=7.0))
    config["early_stopping"]["timed"] = timed
    table = collect_runs("figure8", config, folder)
    assert table["training_seconds"].to_list() == [seconds] * 2
    assert table["validation_seconds"].to_list() == [7.0, 7.0]


def test_a_table_of_runs_is_read_back_as_it_was_written(config, folder, tmp_path):
    table = collect_runs("figure8", config, folder)
    write_runs(tmp_path / "runs.csv", table)
    again = read_runs(tmp_path / "runs.csv")
    assert again.to_csv() == table.to_csv()


def test_p_stays_text(config, folder, tmp_path):
    write_runs(tmp_path / "runs.csv", collect_runs("figure8", config, folder))
    assert read_runs(tmp_path / "runs.csv")["p"].to_list() == ["1.0", "0.5"]


# What is refused.


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        pytest.param(
            ("training", "epochs"), 9, "epochs was 2, the config says 9", id="number of epochs"
        ),
        pytest.param(
            ("training", "optimiser"),
            "sgd",
            'optimiser was "adam", the config says "sgd"',
            id="name",
        ),
        pytest.param(
            ("train_examples",), None, "train_examples was 500, the config says null", id="all"
        ),
    ],
)
def test_a_run_trained_otherwise_is_refused_with_its_file_and_what_differs(
    config, folder, path, value, told
):
    study = config["studies"]["mnist"]
    for key in path[:-1]:
        study = study[key]
    study[path[-1]] = value
    message = refusal(config, folder)
    first = folder / runs_of("figure8", config)[0].folder
    assert message.startswith(f"{first / 'run.json'} was made with another specification: {told}.")
    assert f"Delete the folder {first}" in message


def test_a_run_evaluated_otherwise_is_refused_with_its_file_and_what_differs(config, folder):
    config["studies"]["mnist"]["evaluation"]["seed"] = 8
    message = refusal(config, folder)
    assert "evaluation.json was made with another specification" in message
    assert "seed was 0, the config says 8" in message


def test_a_result_put_into_another_runs_folder_is_refused(config, folder, place):
    rewrite(place / "run.json", lambda content: content["spec"]["run"].update(seed=4))
    message = refusal(config, folder)
    assert f"{place / 'run.json'} was made with another specification: run was" in message


def test_a_specification_that_does_not_match_its_digest_is_refused(config, folder, place):
    rewrite(place / "run.json", lambda content: content.update(spec_digest="0" * 64))
    assert f"{place / 'run.json'} was made with another specification" in refusal(config, folder)


@pytest.mark.parametrize("name", ["run.json", "evaluation.json"])
def test_a_number_edited_in_a_record_is_refused(config, folder, place, name):
    path = place / name
    path.write_text(re.sub(r": 1(\d*)\.0", r": 2\1.0", path.read_text(), count=1))
    message = refusal(config, folder)
    assert message.startswith(f"{path} is damaged, or was edited: delete {path} and run again")


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("model.safetensors", "run.json"),
        ("evaluation.csv", "evaluation.json"),
        ("verdicts.csv", "evaluation.json"),
    ],
)
def test_a_file_that_changed_since_is_refused_with_what_to_delete(
    config, folder, place, name, record
):
    content = bytearray((place / name).read_bytes())
    content[-2] ^= 1
    (place / name).write_bytes(content)
    message = refusal(config, folder)
    assert message.startswith(f"{place / name} is not the file that {place / record} describes")
    assert f"delete {place / record} and run again" in message


def test_a_network_that_was_deleted_to_save_space_is_not_missed(config, folder, place):
    (place / "model.safetensors").unlink()
    assert len(collect_runs("figure8", config, folder)) == 2


def test_an_evaluation_of_another_network_is_refused(config, folder, place):
    rewrite(place / "evaluation.json", lambda content: content.update(model_sha256="xyz"))
    message = refusal(config, folder)
    assert f"{place / 'evaluation.json'} is about another network" in message


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("pruning.safetensors", "run.json"),
        ("training.csv", "run.json"),
        ("verdicts.csv", "evaluation.json"),
        ("evaluation.csv", "evaluation.json"),
    ],
)
def test_a_file_that_was_deleted_is_named_with_what_to_delete(config, folder, place, name, record):
    (place / name).unlink()
    message = refusal(config, folder)
    assert message.startswith(f"{place / name} does not exist, but {place / record} describes it")
    assert f"delete {place / record} and run again" in message


def test_an_evaluation_on_another_file_of_the_data_set_is_refused(config, folder, place):
    rewrite(place / "evaluation.json", lambda content: content.update(dataset_sha256="xyz"))
    message = refusal(config, folder)
    assert f"{place / 'evaluation.json'} was made from another file of the data set" in message
    assert f"delete the folder {place} and run again" in message


def test_runs_made_from_different_files_of_a_data_set_are_refused(config, folder, place):
    for name in ("run.json", "evaluation.json"):
        rewrite(place / name, lambda content: content.update(dataset_sha256="xyz"))
    message = refusal(config, folder)
    first = folder / runs_of("figure8", config)[0].folder
    assert message.startswith(f"{first / 'run.json'} and {place / 'run.json'} were made from diff")
    assert "sha256sum results/datasets/mnist5k.safetensors" in message


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(config, folder, place, name):
    (place / name).unlink()
    assert f"{place / name} does not exist" in refusal(config, folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("run.json", '{"spec": ', id="run.json cut short"),
        pytest.param("run.json", "{}", id="run.json of nothing"),
        pytest.param("run.json", "[]", id="run.json with a list"),
        pytest.param("evaluation.json", "{}", id="evaluation.json of nothing"),
        pytest.param("evaluation.csv", "", id="evaluation.csv of nothing"),
    ],
)
def test_a_damaged_file_is_named(config, folder, place, name, content):
    (place / name).write_text(content)
    assert str(place / name) in refusal(config, folder)


# Scores.


@pytest.fixture
def scores(config, tmp_path):
    """Scores of both studies, written by hand: the folder of each."""
    folders = {}
    for study, settings in config["studies"].items():
        place = folders[study] = tmp_path / "scores" / study
        place.mkdir(parents=True)
        (place / "scores.safetensors").write_text(f"the scores of {study}")
        spec = score_spec(settings["dataset"], **settings["scores"], config=config)
        content = {"spec": spec.to_dict(), "spec_digest": spec.digest}
        write_record(place / "score.json", content, [place / "scores.safetensors"])
    return folders


def test_scores_that_the_config_asks_for_are_taken(config, scores):
    for study, place in scores.items():
        check_scores(place / "scores.safetensors", study, config)


def test_the_scores_of_another_study_are_refused(config, scores):
    path = scores["cifar10"] / "score.json"
    with pytest.raises(UserError, match=f"{path} was made with another specification: run was"):
        check_scores(path.with_name("scores.safetensors"), "mnist", config)


@pytest.mark.parametrize("figure", ["figure2", "figure6"])
def test_a_figure_is_not_drawn_from_the_scores_of_another_study(config, scores, tmp_path, figure):
    write_config(tmp_path / "config.json", config)
    swapped = scores["cifar10"] / "scores.safetensors"
    inputs = {
        "figure2": ("--scores", swapped, "--model", "none", "--dataset", "none"),
        "figure6": ("--mnist", swapped, "--cifar10", scores["mnist"] / "scores.safetensors"),
    }
    outputs = ["--output", tmp_path / "figure.csv"]
    if figure == "figure2":
        outputs += ["--features-output", tmp_path / "features.csv"]
    ended = run_program(
        figure, *inputs[figure], "--config", tmp_path / "config.json", *outputs, cwd=PROJECT
    )
    assert ended.status == 1
    assert "score.json was made with another specification: run was" in ended.printed
    assert "Traceback" not in ended.printed


# What exists, without the rest.


@pytest.mark.parametrize("name", FILES)
def test_a_partial_table_leaves_out_a_run_that_lacks_a_result(config, folder, place, name):
    (place / name).unlink()
    table = collect_runs("figure8", config | {"partial": True}, folder)
    assert table["method"].to_list() == ["full"]


def test_a_partial_table_still_refuses_another_specification(config, folder):
    config["studies"]["mnist"]["training"]["epochs"] = 9
    assert "another specification" in refusal(config | {"partial": True}, folder)


# Reading.


def test_a_table_that_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.csv does not exist"):
        read_runs(tmp_path / "none.csv")


def test_a_table_without_runs_is_named(tmp_path):
    write_hashed(tmp_path / "empty.csv", "\n")
    with pytest.raises(UserError, match=r"empty\.csv is not a table of runs"):
        read_runs(tmp_path / "empty.csv")


@pytest.fixture
def written(config, folder, tmp_path):
    """A table of runs as the workflow writes it."""
    write_runs(tmp_path / "runs.csv", collect_runs("figure8", config, folder))
    return tmp_path / "runs.csv"


@pytest.mark.parametrize("name", ["runs.csv", "runs.csv.sha256"])
def test_any_altered_byte_of_a_table_is_noticed(written, name):
    content = (written.parent / name).read_bytes()
    for place in range(0, len(content), 7):
        altered = bytearray(content)
        altered[place] ^= 1
        (written.parent / name).write_bytes(altered)
        with pytest.raises(UserError, match=f"{written} is not what was written: delete {written}"):
            read_runs(written)


def test_a_table_without_its_hash_is_refused(written):
    written.with_name("runs.csv.sha256").unlink()
    with pytest.raises(UserError, match=f"delete {written} and run again"):
        read_runs(written)


def test_a_table_of_runs_is_published_as_it_is_to_the_last_digit(tmp_path):
    awkward = pd.DataFrame(
        {
            "p": ["1.0", "0.60"],
            "training_seconds": [0.1 + 0.2, 5e-324],
            "autoattack_accuracy": [100 * 257 / 999, 3.3e-7],
            "diverged_epoch": [None, 3],
        }
    )
    write_runs(tmp_path / "all.csv", awkward)
    ended = run_program(
        *("runs", "--runs", tmp_path / "all.csv", "--output", tmp_path / "runs.csv"), cwd=PROJECT
    )
    assert ended.status == 0, ended.printed
    assert (tmp_path / "runs.csv").read_bytes() == (tmp_path / "all.csv").read_bytes()
    assert len(read_runs(tmp_path / "runs.csv")) == 2


def test_an_altered_table_of_runs_is_not_published(written, tmp_path):
    written.write_text(written.read_text().replace("97.3", "98.3"))
    ended = run_program(
        *("runs", "--runs", written, "--output", tmp_path / "published.csv"), cwd=PROJECT
    )
    assert (ended.status, "runs.csv is not what was written" in ended.printed) == (1, True)
    assert not (tmp_path / "published.csv").exists()


def test_the_hash_of_a_table_is_one_that_sha256sum_can_check(written):
    ended = subprocess.run(["sha256sum", "-c", "runs.csv.sha256"], cwd=written.parent)
    assert ended.returncode == 0
