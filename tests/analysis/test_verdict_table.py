"""Which attacked images each run withstood, kept beside the table of runs."""

import numpy as np
import pandas as pd
import pytest

from advprune.analysis.metrics import ROBUST_ACCURACIES
from advprune.analysis.run_table import read_runs, write_runs
from advprune.analysis.verdict_table import collect_verdicts, read_verdicts, verdicts_beside
from advprune.errors import UserError
from advprune.spec.runs import Run

AUTOATTACK, APGD = "autoattack_accuracy", "apgd_ce_40x5_accuracy"
MNIST = [Run("mnist5k", "full", "1.0", 1, 0), Run("mnist5k", "low-loss", "0.5", 1, 3)]
SHAPES = Run("shapes10", "full", "1.0", 1, 0)
# Image: what broke it, and whether it withstood APGD-CE alone. Image 2 was attacked by that alone.
VERDICTS = {
    MNIST[0]: ["none,1", "natural,0", ",1", ",", "square,1"],
    MNIST[1]: ["apgd-ce,0", "none,1", ",0", ",", "none,1"],
    SHAPES: [",", "none,1", "none,0"],
}
AA_FOUND = {MNIST[0]: [1, 0, 0], MNIST[1]: [0, 1, 1], SHAPES: [1, 1]}
APGD_FOUND = {MNIST[0]: [1, 0, 1, 1], MNIST[1]: [0, 1, 0, 1], SHAPES: [1, 0]}


def write_verdicts(folder, run, lines):
    rows = [f"{index},7,7,{line}" for index, line in enumerate(lines)]
    place = folder / run.folder
    place.mkdir(parents=True, exist_ok=True)
    text = "\n".join(["index,label,prediction,broken_by,apgd_ce_40x5", *rows])
    (place / "verdicts.csv").write_text(text + "\n")


@pytest.fixture
def folder(tmp_path):
    """The runs' folders."""
    for run, lines in VERDICTS.items():
        write_verdicts(tmp_path / "runs", run, lines)
    return tmp_path / "runs"


@pytest.fixture
def runs():
    """Their table; its order is not that of the verdicts above."""
    return pd.DataFrame(
        [
            vars(run)
            | {AUTOATTACK: 100 * np.mean(AA_FOUND[run]), APGD: 100 * np.mean(APGD_FOUND[run])}
            for run in (SHAPES, MNIST[1], MNIST[0])
        ]
    )


@pytest.fixture
def written(runs, folder, tmp_path):
    """The path of the table, with the verdicts beside it."""
    path = tmp_path / "runs.csv"
    write_runs(path, runs, collect_verdicts(runs, folder))
    return path


def read_back(path):
    runs = read_runs(path)
    return runs, read_verdicts(verdicts_beside(path), runs, made_with=path)


def refusal(runs, folder):
    with pytest.raises(UserError) as caught:
        collect_verdicts(runs, folder)
    return str(caught.value)


@pytest.mark.parametrize(("metric", "found"), [(AUTOATTACK, AA_FOUND), (APGD, APGD_FOUND)])
@pytest.mark.parametrize("run", VERDICTS)
def test_what_is_read_back_is_what_each_run_withstood(written, run, metric, found):
    runs, verdicts = read_back(written)
    (row,) = [
        row
        for row in runs.index
        if Run(*runs.loc[row, ["dataset", "method", "p", "e", "seed"]]) == run
    ]
    assert verdicts.withstood(runs.loc[[row]], metric).astype(int).tolist() == [found[run]]


def test_the_images_are_those_that_were_attacked(written):
    _, verdicts = read_back(written)
    assert verdicts.found["mnist5k", AUTOATTACK].images.tolist() == [0, 1, 4]
    assert verdicts.found["mnist5k", APGD].images.tolist() == [0, 1, 2, 4]
    assert verdicts.found["shapes10", APGD].images.tolist() == [1, 2]


def test_runs_are_looked_up_in_the_order_in_which_they_are_asked_for(written):
    runs, verdicts = read_back(written)
    asked = runs[runs["dataset"] == "mnist5k"].sort_values("method")
    found = verdicts.withstood(asked, AUTOATTACK)
    assert found.astype(int).tolist() == [AA_FOUND[MNIST[0]], AA_FOUND[MNIST[1]]]


def test_two_attacks_are_compared_on_the_images_that_both_attacked(written):
    runs, verdicts = read_back(written)
    asked = runs[runs["method"] == "low-loss"]
    apgd, autoattack = verdicts.on_shared_images(asked, APGD, AUTOATTACK)
    assert apgd.astype(int).tolist() == [[0, 1, 1]]  # images 0, 1 and 4
    assert autoattack.astype(int).tolist() == [AA_FOUND[MNIST[1]]]


def test_runs_of_two_data_sets_have_no_images_in_common(written):
    runs, verdicts = read_back(written)
    with pytest.raises(ValueError):
        verdicts.withstood(runs, AUTOATTACK)


@pytest.mark.parametrize("images", [1, 7, 8, 9, 64, 100])
def test_any_number_of_images_comes_back_from_its_bits(tmp_path, images):
    run, random = MNIST[0], np.random.default_rng(images)
    stands = random.random(images) < 0.5
    lines = ["none,1" if each else "fab-t,0" for each in stands]
    write_verdicts(tmp_path, run, lines)
    accuracy = 100 * stands.mean()
    runs = pd.DataFrame([vars(run) | {AUTOATTACK: accuracy, APGD: accuracy}])
    write_runs(tmp_path / "runs.csv", runs, collect_verdicts(runs, tmp_path))
    _, verdicts = read_back(tmp_path / "runs.csv")
    for metric in ROBUST_ACCURACIES:
        assert verdicts.withstood(runs, metric).tolist() == [stands.tolist()]


@pytest.mark.parametrize("metric", [AUTOATTACK, APGD])
def test_verdicts_that_do_not_give_the_accuracy_in_the_table_are_refused(runs, folder, metric):
    runs.loc[1, metric] += 0.01
    told = refusal(runs, folder)
    assert str(MNIST[1]) in told
    assert metric in told


def test_a_run_that_was_attacked_on_other_images_is_refused(runs, folder):
    lines = VERDICTS[MNIST[0]]
    write_verdicts(folder, MNIST[0], [lines[0], lines[1], lines[2], lines[4], lines[3]])
    told = refusal(runs, folder)
    assert str(MNIST[0]) in told
    assert "other images" in told


@pytest.mark.parametrize("text", [None, "", "a\n1\n"])
def test_verdicts_that_are_none_are_refused(runs, folder, text):
    path = folder / MNIST[0].folder / "verdicts.csv"
    path.unlink() if text is None else path.write_text(text)
    assert str(path) in refusal(runs, folder)


def test_verdicts_without_a_column_of_an_attack_are_refused(runs, folder):
    path = folder / SHAPES.folder / "verdicts.csv"
    path.write_text("index,label,prediction,broken_by\n0,7,7,\n1,7,7,none\n2,7,7,none\n")
    assert str(path) in refusal(runs, folder)


def test_one_bit_that_changed_in_the_file_is_noticed(written):
    path = verdicts_beside(written)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="not what was written"):
        read_back(written)


def test_verdicts_that_were_not_written_are_missed(written):
    verdicts_beside(written).unlink()
    with pytest.raises(UserError, match="does not exist"):
        read_back(written)


def test_verdicts_are_read_with_the_whole_table_that_they_are_of(written):
    runs = read_runs(written)
    with pytest.raises(UserError, match="2 runs on mnist5k"):
        read_verdicts(verdicts_beside(written), runs[:2], made_with=written)


def test_a_table_of_no_runs_has_no_verdicts(tmp_path):
    assert collect_verdicts(pd.DataFrame(), tmp_path).found == {}


def test_a_run_that_was_not_attacked_has_verdicts_under_the_other_attack_alone(runs, folder):
    write_verdicts(folder, MNIST[1], [",0", ",1", ",0", ",", ",1"])
    runs.loc[1, AUTOATTACK] = np.nan
    table = collect_verdicts(runs, folder)
    both = runs[runs["dataset"] == "mnist5k"]
    assert table.found["mnist5k", AUTOATTACK].images.tolist() == [0, 1, 4]
    assert table.withstood(both.dropna(), AUTOATTACK).tolist() == [[True, False, False]]
    assert table.withstood(both, APGD).astype(int).tolist() == [
        APGD_FOUND[MNIST[1]],
        APGD_FOUND[MNIST[0]],
    ]


def test_where_no_run_was_attacked_there_are_no_images(runs, folder):
    write_verdicts(folder, SHAPES, [",", ",1", ",0"])
    runs.loc[0, AUTOATTACK] = np.nan
    found = collect_verdicts(runs, folder).found["shapes10", AUTOATTACK]
    assert found.withstood.shape == (1, 0)
