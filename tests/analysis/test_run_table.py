"""From the files of single runs to one table of runs."""

import copy
import re

import numpy as np
import pandas as pd
import pytest
from builders import write_hashed
from run_tables import runs_of_cell
from workflow_tools import PROJECT

from advprune.analysis.run_table import collect_runs, read_runs, write_runs
from advprune.errors import UserError
from advprune.paths import RESULT_FILES
from advprune.plan.config import load_config
from advprune.plan.exhibits import runs_of
from advprune.plan.specify import evaluation_spec, training_spec
from advprune.storage.files import sha256_of
from advprune.storage.records import read_record, write_record

ACCURACIES = (
    "natural_accuracy,autoattack_accuracy,apgd_ce_40x5_accuracy,"
    "robust_after_apgd_ce,robust_after_apgd_t,robust_after_fab_t,robust_after_square,"
    "test_examples,autoattack_examples,single_attack_examples,"
    "natural_accuracy_autoattack_examples,natural_accuracy_single_attack_examples,"
    "square_warning,gradient_warning,other_warning\n"
    "97.3,25.0,50.0,50.0,25.0,25.0,25.0,1000,4,8,100.0,87.5,0,1,0\n"
)


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


def content_of(spec, model, seconds, provenance):
    """What a record holds."""
    return {
        **{"spec": spec.to_dict(), "spec_digest": spec.digest, "seconds": seconds},
        **{"model_sha256": sha256_of(model), "dataset_sha256": "abcdef0123456789"},
        "provenance": provenance,
    }


@pytest.fixture
def folder(config, tmp_path):
    """Results of those runs, written by hand."""
    write_results(config, tmp_path)
    return tmp_path


def write_results(config, folder):
    """Write results of figure 8's runs by hand."""
    trained = {"source": "0123456789abcdef", "device": "cpu: x86_64", "processor": "some; AVX2"}
    trained |= {"threads": 3}
    evaluated = {"source": "fedcba9876543210", "device": "cuda: H200", "processor": None}
    for run in runs_of("figure8", config):
        place = folder / run.folder
        place.mkdir(parents=True)
        model = place / "model.safetensors"
        for name in ("model.safetensors", "pruning.safetensors", "training.csv", "verdicts.csv"):
            (place / name).write_text(f"what is in {name}")
        (place / "evaluation.csv").write_text(ACCURACIES)
        seconds = {"training": 10.0, "scoring": 2.0, "pruning": 0.5}
        made_with = trained | {"packages": {"torch": "2.0"}}
        content = content_of(training_spec(run, config), model, seconds, made_with)
        content |= {"train_examples": 500, "kept_examples": 250}
        content |= {"diverged_epoch": None, "stopped_epoch": None, "stacked": 1}
        files = (model, place / "pruning.safetensors", place / "training.csv")
        write_record(place / "run.json", content, files)
        made_with = evaluated | {"packages": {"torch": "2.10"}}
        seconds = {"natural": 1.0, "square": 3.0}
        content = content_of(evaluation_spec(run, config), model, seconds, made_with)
        files = (place / "evaluation.csv", place / "verdicts.csv")
        write_record(place / "evaluation.json", content, files)


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


def test_a_row_holds_what_the_runs_files_say(config, folder):
    row = collect_runs("figure8", config, folder).iloc[1]
    wanted = {
        **{"natural_accuracy": 97.3, "autoattack_accuracy": 25.0, "apgd_ce_40x5_accuracy": 50.0},
        **{"robust_after_square": 25.0, "autoattack_examples": 4, "single_attack_examples": 8},
        "natural_accuracy_single_attack_examples": 87.5,
        **{"square_warning": 0, "gradient_warning": 1},
        **{"training_seconds": 12.5, "scoring_seconds": 2.0, "evaluation_seconds": 4.0},
        **{"train_examples": 500, "kept_examples": 250},
        **{"diverged_epoch": None, "stopped_epoch": None},
        **{"device": "cpu: x86_64", "torch": "2.0", "source": "0123456789ab", "threads": 3},
        **{"processor": "some; AVX2", "evaluation_processor": None},
        **{"evaluation_device": "cuda: H200", "evaluation_torch": "2.10"},
        **{"evaluation_source": "fedcba987654", "dataset_sha256": "abcdef012345"},
    }
    found = row[list(wanted)]
    assert found.where(found.notna(), None).to_dict() == wanted


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


def test_a_run_that_was_trained_in_a_stack_has_no_training_time_of_its_own(config, folder, place):
    rewrite(place / "run.json", lambda content: content.update(stacked=30))
    table = collect_runs("figure8", config, folder)
    np.testing.assert_array_equal(table["training_seconds"], [12.5, np.nan])
    assert table["uncompared_seconds"].to_list() == [0.0, 12.5]


@pytest.mark.parametrize(
    ("where", "changed"),
    [("device", "cuda: H200"), ("processor", "some; AVX512"), ("threads", 2)],
)
def test_times_are_those_of_the_machine_on_which_most_runs_were_trained(
    config, tmp_path, where, changed
):
    config["studies"]["mnist"]["experiments"]["table1"]["seeds"] = [3, 4]
    write_results(config, tmp_path)
    place = tmp_path / runs_of("figure8", config)[0].folder
    rewrite(place / "run.json", lambda content: content["provenance"].update({where: changed}))
    table = collect_runs("figure8", config, tmp_path)
    np.testing.assert_array_equal(table["training_seconds"], [np.nan, 12.5, 12.5, 12.5])
    assert table["uncompared_seconds"].to_list() == [12.5, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("processors", "compared"),
    [
        ([None, None, None, None], [True, True, True, True]),
        (["some; AVX2", None, None, None], [False, True, True, True]),
        (["some; AVX2", "some; AVX2", "some; AVX2", None], [True, True, True, False]),
        (["other; AVX2", "some; AVX2", "other; AVX2", "some; AVX2"], [True, False, True, False]),
    ],
    ids=["nobody's", "most without", "most with", "of equally many the first by name"],
)
def test_times_are_of_one_machine_whether_its_processor_is_named_or_not(
    config, tmp_path, processors, compared
):
    config["studies"]["mnist"]["experiments"]["table1"]["seeds"] = [3, 4]
    write_results(config, tmp_path)
    for run, processor in zip(runs_of("figure8", config), processors, strict=True):
        path = tmp_path / run.folder / "run.json"
        rewrite(path, lambda content, name=processor: content["provenance"].update(processor=name))
    table = collect_runs("figure8", config, tmp_path)
    assert table["training_seconds"].notna().to_list() == compared


def test_tables_made_by_hand_in_other_tests_have_the_same_columns(config, folder):
    by_hand = runs_of_cell("random", natural_accuracy=[98.0])
    assert list(collect_runs("figure8", config, folder)) == list(by_hand)


# Early stopping's own attack.


def validation_accuracy(config, folder, epochs, *, stopped_epoch=None, enabled=True):
    """What the table has of runs whose epochs ended with these shares of test images."""
    config["early_stopping"]["enabled"] = enabled
    for run in runs_of("figure8", config):
        place, spec = folder / run.folder, training_spec(run, config)
        pd.DataFrame({"validation_accuracy": epochs}).to_csv(place / "training.csv", index=False)
        changes = {"spec": spec.to_dict(), "spec_digest": spec.digest}
        changes["stopped_epoch"] = stopped_epoch
        rewrite(place / "run.json", lambda content, changes=changes: content.update(changes))
    (found,) = collect_runs("figure8", config, folder)["validation_accuracy"].unique()
    return found


def test_a_network_that_was_not_stopped_is_that_of_the_last_epoch(config, folder):
    assert validation_accuracy(config, folder, [0.25, 0.75, 0.5]) == 50


def test_a_network_that_was_stopped_is_that_of_the_best_epoch(config, folder):
    assert validation_accuracy(config, folder, [0.25, 0.75, 0.5], stopped_epoch=3) == 75


def test_without_early_stopping_there_is_no_accuracy_under_its_attack(config, folder):
    assert pd.isna(validation_accuracy(config, folder, [None, None], enabled=False))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_accuracy_under_early_stoppings_attack_is_in_percent(config, folder, share):
    assert validation_accuracy(config, folder, [share]) == 100 * share


# What is refused.


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("epochs", 9, "epochs was 2, the config says 9"),
        ("optimiser", "sgd", 'optimiser was "adam", the config says "sgd"'),
    ],
)
def test_a_run_trained_otherwise_is_refused_with_its_file_and_what_differs(
    config, folder, key, value, told
):
    config["studies"]["mnist"]["training"][key] = value
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


def test_an_evaluation_of_another_network_is_refused(config, folder, place):
    rewrite(place / "evaluation.json", lambda content: content.update(model_sha256="xyz"))
    message = refusal(config, folder)
    assert f"{place / 'evaluation.json'} is about another network" in message


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


# What exists, without the rest.


@pytest.mark.parametrize("name", RESULT_FILES)
def test_a_partial_table_leaves_out_a_run_that_lacks_a_result(config, folder, place, name):
    (place / name).unlink()
    table = collect_runs("figure8", config | {"partial": True}, folder)
    assert table["method"].to_list() == ["full"]


def test_a_partial_table_still_refuses_another_specification(config, folder):
    config["studies"]["mnist"]["training"]["epochs"] = 9
    assert "another specification" in refusal(config | {"partial": True}, folder)


# Reading.


def test_a_table_without_runs_is_named(tmp_path):
    write_hashed(tmp_path / "empty.csv", "\n")
    with pytest.raises(UserError, match=r"empty\.csv is not a table of runs"):
        read_runs(tmp_path / "empty.csv")


def test_an_altered_table_is_refused_with_what_to_delete(tmp_path):
    path = tmp_path / "runs.csv"
    write_runs(path, runs_of_cell("random", natural_accuracy=[97.3]))
    path.write_text(path.read_text().replace("97.3", "98.3"))
    with pytest.raises(UserError, match=f"{path} is not what was written: delete {path} and run"):
        read_runs(path)


def test_a_table_of_runs_is_read_back_to_the_last_digit(tmp_path):
    awkward = runs_of_cell(
        *("random", "0.60"),
        training_seconds=[0.1 + 0.2, 5e-324],
        autoattack_accuracy=[100 * 257 / 999, 3.3e-7],
        diverged_epoch=[None, 3],
    )
    write_runs(tmp_path / "runs.csv", awkward)
    pd.testing.assert_frame_equal(
        read_runs(tmp_path / "runs.csv"), awkward, check_dtype=False, check_exact=True
    )
