"""From the runs of a scale to packs, and back."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from finished_runs import make_scale, with_seeds, write_finished_run
from run_tables import write_by_epoch

from advprune.analysis.run_files import read_curves, read_prunings
from advprune.analysis.run_table import collect_runs
from advprune.analysis.scores import read_scores
from advprune.analysis.verdict_table import collect_verdicts
from advprune.archive.packing import pack, unpack
from advprune.archive.packs import read_pack, write_pack
from advprune.archive.reduced import rounded
from advprune.errors import UserError
from advprune.plan.blocks import scored_start
from advprune.plan.config import variant_config
from advprune.plan.exhibits import runs_of
from advprune.plan.specify import by_epoch_spec
from advprune.storage.records import is_as_left, read_record, write_record

PACK = "runs/mnist5k/000-029.tar.xz"
LOW, FULL = "low-loss/p0.5/e1", "full/p1.0/e1"


@pytest.fixture
def published(scale, config, tmp_path):
    pack(scale, config, tmp_path / "published")
    return tmp_path / "published"


@pytest.fixture
def unpacked(published, config, tmp_path):
    """A scale with nothing but what came out of the packs."""
    unpack(published, tmp_path / "unpacked", config)
    return tmp_path / "unpacked"


def packs(published):
    return {str(p.relative_to(published)): p.read_bytes() for p in published.rglob("*.tar.xz")}


def test_there_is_a_pack_of_runs_and_one_of_scores(published):
    assert packs(published).keys() == {PACK, "starts/mnist5k/000-029.tar.xz"}
    runs = read_pack(published / PACK)
    assert runs.keys() == {f"{cell}/seed00{seed}" for cell in (LOW, FULL) for seed in (0, 1)}


def test_tables_of_runs_are_the_same_from_what_was_packed(scale, unpacked, config):
    before, after = (collect_runs("all", config, each / "runs") for each in (scale, unpacked))
    assert after.to_csv() == before.to_csv()


def test_verdicts_on_images_are_the_same(scale, unpacked, config):
    runs = collect_runs("all", config, scale / "runs")
    before, after = (collect_verdicts(runs, each / "runs") for each in (scale, unpacked))
    for key, verdicts in before.found.items():
        np.testing.assert_array_equal(after.found[key].withstood, verdicts.withstood)


def test_curves_and_what_was_kept_are_the_same(scale, unpacked, config):
    runs = collect_runs("table1", config, scale / "runs")
    before, after = (read_curves(runs, each / "runs") for each in (scale, unpacked))
    pd.testing.assert_frame_equal(after, before)
    before, after = (read_prunings(runs, each / "runs") for each in (scale, unpacked))
    for new, old in zip(after, before, strict=True):
        np.testing.assert_array_equal(new, old)


def test_scores_are_the_same_when_rounded(scale, unpacked, config):
    folder = scored_start("mnist", 0, config).folder
    before, after = (
        read_scores(each / "starts" / folder, "mnist", 0, config) for each in (scale, unpacked)
    )
    assert after.loss.tobytes() == rounded(before.loss).tobytes()
    assert after.distance.tobytes() == rounded(before.distance).tobytes()


def test_no_network_is_packed(published):
    names = {
        name for path in published.rglob("*.xz") for f in read_pack(path).values() for name in f
    }
    assert "model.safetensors" not in names


def test_packing_what_was_unpacked_changes_nothing(published, unpacked, config):
    before = packs(published)
    assert pack(unpacked, config, published) == []
    shutil.rmtree(published)
    pack(unpacked, config, published)
    assert packs(published) == before


def test_more_seeds_join_those_that_are_packed(published, config, tmp_path):
    before = read_pack(published / PACK)
    more = with_seeds(config, 3)
    make_scale(tmp_path / "elsewhere", with_seeds(config, [2]))
    written = pack(tmp_path / "elsewhere", more, published)
    assert published / PACK in written
    after = read_pack(published / PACK)
    assert after.keys() - before.keys() == {f"{LOW}/seed002", f"{FULL}/seed002"}
    assert {name: after[name] for name in before} == before


def test_a_run_that_was_made_again_does_not_replace_the_published_one(published, config, tmp_path):
    before = packs(published)
    again = tmp_path / "again"
    make_scale(again, config)
    for path in again.rglob("run.json"):  # another time stands in it
        record = read_record(path)
        files = [path.with_name(name) for name in record["files"]]
        write_record(path, record | {"seconds": {"training": 2.0}}, files)
    pack(again, config, published)
    assert packs(published) == before


def test_a_run_of_another_specification_replaces_the_published_one(published, config, tmp_path):
    before = read_pack(published / PACK)
    config["studies"]["mnist"]["training"]["epochs"] = 3
    make_scale(tmp_path / "again", config)
    pack(tmp_path / "again", config, published)
    assert (
        read_pack(published / PACK)[f"{LOW}/seed000"]["run.json"]
        != before[f"{LOW}/seed000"]["run.json"]
    )


def test_a_run_of_another_specification_than_the_configs_is_not_packed(scale, config, tmp_path):
    config["studies"]["mnist"]["training"]["epochs"] = 3
    with pytest.raises(UserError, match="made with another specification: epochs was 2"):
        pack(scale, config, tmp_path / "published")


def test_an_unfinished_run_is_not_packed(scale, config, tmp_path):
    (run,) = [run for run in runs_of("all", config) if run.method == "low-loss" and run.seed == 1]
    (scale / "runs" / run.folder / "evaluation.json").unlink()
    pack(scale, config, tmp_path / "published")
    packed = read_pack(tmp_path / "published" / PACK).keys()
    assert packed == {f"{LOW}/seed000", f"{FULL}/seed000", f"{FULL}/seed001"}


def test_unpacking_keeps_what_is_there(published, scale, config):
    before = {path: path.stat().st_mtime_ns for path in (scale / "runs").rglob("*.*")}
    assert unpack(published, scale, config) == 0
    assert {path: path.stat().st_mtime_ns for path in (scale / "runs").rglob("*.*")} == before


def test_unpacking_makes_whole_what_was_begun(published, unpacked, config):
    (unpacked / "runs" / runs_of("all", config)[0].folder / "verdicts.csv").unlink()
    assert unpack(published, unpacked, config) == 1
    collect_runs("all", config, unpacked / "runs")


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_packs_is_refused(there, config, tmp_path):
    if there:
        (tmp_path / "published/runs").mkdir(parents=True)
    with pytest.raises(UserError, match=f"^{tmp_path}/published holds no pack"):
        unpack(tmp_path / "published", tmp_path / "unpacked", config)
    assert not (tmp_path / "unpacked").exists()


def test_a_pack_with_a_file_that_no_run_has_is_refused(published, config, tmp_path):
    write_pack(published / "runs/mnist5k/030-059.tar.xz", {f"{LOW}/seed030": {"x.py": b""}})
    with pytest.raises(UserError, match=r"holds x.py, which is no file of a run"):
        unpack(published, tmp_path / "unpacked", config)


def test_blocks_of_which_all_runs_are_there_count_as_made(unpacked):
    for name, files in (("train", ["run.json"]), ("evaluate", ["evaluation.json"])):
        made = sorted((unpacked / "blocks" / name).rglob("*.json"))
        assert [str(path.relative_to(unpacked / "blocks" / name)) for path in made] == [
            "mnist5k/full/p1.0/e1/000-001.json",
            "mnist5k/low-loss/p0.5/e1/000-001.json",
        ]
        assert all(is_as_left(path, files) for path in made)


def test_a_block_of_which_a_run_is_missing_does_not(published, config, tmp_path):
    unpack(published, tmp_path / "unpacked", with_seeds(config, 4))
    there = {path.stem for path in (tmp_path / "unpacked/blocks/train").rglob("*.json")}
    assert there == {"000-001"}


def test_figures_that_need_images_come_along_as_they_are(scale, config, tmp_path):
    (scale / "partial/figures").mkdir(parents=True)
    for name in ("figure2.csv", "figure2.png", "figure3.csv"):
        (scale / "partial/figures" / name).write_text(name)
    pack(scale, config, tmp_path / "published")
    unpack(tmp_path / "published", tmp_path / "unpacked", config)
    came = sorted(path.name for path in (tmp_path / "unpacked/partial/figures").iterdir())
    assert came == ["figure2.csv", "figure2.png"]


def test_variants_are_packed_apart_and_come_back(config, tmp_path):
    config["variants"] = {"larger_steps": {"studies": {"mnist": {"training": {"batch_size": 25}}}}}
    experiment = config["studies"]["mnist"]["experiments"]["sensitivity"]
    experiment |= {"methods": ["low-loss"], "p": [0.5, 1.0], "seeds": 2}
    scale, place = tmp_path / "scale", "variants/larger_steps"
    make_scale(scale, config)
    make_scale(scale / place, variant_config("larger_steps", config))
    pack(scale, config, tmp_path / "published")
    unpack(tmp_path / "published", tmp_path / "unpacked", config)
    before, after = (
        collect_runs("sensitivity", config, each / "runs")
        for each in (scale, tmp_path / "unpacked")
    )
    pd.testing.assert_frame_equal(after, before)
    assert after["variant"].value_counts().to_dict() == {"": 4, "larger_steps": 4}
    assert after.groupby("variant")["training_spec"].nunique().to_dict() == {
        "": 4,
        "larger_steps": 4,
    }
    made = {
        path.parent.name
        for path in (tmp_path / "unpacked" / place / "blocks/train").rglob("*.json")
    }
    assert made == {"e1"}


def test_a_run_on_which_a_variants_switch_has_no_effect_is_the_configs_own(config, tmp_path):
    config["variants"] = {"after_the_pass": {"pruning": {"loss_taken": "after_pass"}}}
    experiment = config["studies"]["mnist"]["experiments"]["sensitivity"]
    experiment |= {"methods": ["low-loss"], "p": [0.5, 1.0], "seeds": 2}
    make_scale(tmp_path / "scale", config)
    varied = variant_config("after_the_pass", config)
    for run in runs_of("all", varied):
        if run.method != "full":
            write_finished_run(tmp_path / "scale/variants/after_the_pass/runs", run, varied)
    runs = collect_runs("sensitivity", config, tmp_path / "scale/runs")
    counts = runs.groupby(["variant", "method"]).size()
    assert counts.to_dict() == {
        **{("", "full"): 2, ("", "low-loss"): 2},
        **{("after_the_pass", "full"): 2, ("after_the_pass", "low-loss"): 2},
    }
    of_full = runs[runs["method"] == "full"]
    assert of_full.groupby("seed")["training_spec"].nunique().to_list() == [1, 1]


@pytest.fixture
def followed(config):
    """Two runs that are attacked after every epoch, of which one is not yet."""
    experiment = config["studies"]["mnist"]["experiments"]["by_epoch"]
    experiment |= {"methods": ["low-loss"], "p": [0.5], "seeds": 2}
    return config


def attack_by_epoch(scale, seed, config, *, accuracy=50.0, **changes):
    run = next(run for run in runs_of("by_epoch", config) if run.seed == seed)
    spec = dataclasses.replace(by_epoch_spec(run, config), **changes)
    write_by_epoch(scale / "runs", run, spec, [{"epoch": 1, "pgd_accuracy": accuracy}])
    return Path("runs") / run.folder / "by_epoch.csv"


def test_what_attacks_after_every_epoch_have_found_comes_along(followed, scale, tmp_path):
    table = attack_by_epoch(scale, 0, followed)
    pack(scale, followed, tmp_path / "published")
    unpack(tmp_path / "published", tmp_path / "unpacked", followed)
    for path in (table, table.with_suffix(".json")):
        assert (tmp_path / "unpacked" / path).read_bytes() == (scale / path).read_bytes()


def test_runs_that_are_attacked_so_later_are_packed_once_more(followed, scale, tmp_path):
    pack(scale, followed, tmp_path / "published")
    attack_by_epoch(scale, 0, followed)
    (written,) = pack(scale, followed, tmp_path / "published")
    assert written == tmp_path / "published" / PACK
    assert "by_epoch.csv" in read_pack(written)[f"{LOW}/seed000"]
    assert "by_epoch.csv" not in read_pack(written)[f"{LOW}/seed001"]


def test_a_block_counts_as_attacked_by_epoch_when_all_its_runs_are(followed, scale, tmp_path):
    block = "blocks/by_epoch/mnist5k/low-loss/p0.5/e1/000-001.json"
    for seed in (0, 1):
        attack_by_epoch(scale, seed, followed)
        published, unpacked = tmp_path / "published", tmp_path / f"unpacked{seed}"
        pack(scale, followed, published)
        unpack(published, unpacked, followed)
        assert (unpacked / block).exists() == (seed == 1)


def test_attacks_other_than_the_configs_are_not_packed(followed, scale, tmp_path):
    attack_by_epoch(scale, 0, followed, steps=7)
    with pytest.raises(UserError, match="steps was 7, the config says 40"):
        pack(scale, followed, tmp_path / "published")
