"""What the doctor finds on machines that have and lack this and that."""

import json
import os
import subprocess
import sys
import urllib.error
from pathlib import Path

import pytest
from builders import write_dataset
from workflow_tools import PROJECT

from advprune.plan.config import load_config
from advprune.preflight import doctor
from advprune.preflight.doctor import State

QUICK = load_config(PROJECT / "config/quick.yaml")


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine with no programs, and a folder to put some in."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    return programs


def put(programs: Path, name: str, prints: str, status: int = 0) -> None:
    program = programs / name
    program.write_text(f"#!/bin/sh\necho '{prints}'\nexit {status}\n")
    program.chmod(0o755)


def run_doctor(*arguments, python=sys.executable, **environment):
    return subprocess.run(
        [python, "workflow/scripts/doctor.py", *arguments],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "ADVPRUNE_DATA": "", **environment},
        capture_output=True,
        text=True,
    )


def test_a_machine_that_runs_these_tests_can_run_the_quick_scale():
    ended = run_doctor("--config", "config/quick.yaml", "--jobs", "1")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "The scale quick can run here." in ended.stdout


@pytest.mark.parametrize(
    ("seeds", "wanted"), [({}, ["mnist"]), ({"scores": {"seeds": 1}}, ["mnist", "cifar10"])]
)
def test_data_are_asked_for_that_runs_or_scores_are_of(monkeypatch, tmp_path, seeds, wanted):
    (tmp_path / "seeds.json").write_text(json.dumps({"studies": {"cifar10": seeds}}))
    config = load_config(PROJECT / "config/reference.yaml", tmp_path / "seeds.json")
    asked = []
    monkeypatch.setattr(doctor, "dataset", lambda name, *_: asked.append(name))
    list(doctor.examine(config, jobs=1, root=None, results=tmp_path / "results/reference"))
    assert asked == wanted


def test_a_config_whose_data_cannot_be_had_cannot_run(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "_answers", lambda url: False)
    found = doctor.dataset("mnist", tmp_path, tmp_path)
    assert found.state is State.FAILS
    assert "ADVPRUNE_DATA" in found.advice
    assert "mnist5k" in found.advice


def test_data_that_a_mirror_has_will_be_fetched(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "_answers", lambda url: "storage.googleapis" in url)
    found = doctor.dataset("mnist", None, tmp_path)
    assert found.state is State.OK
    assert "storage.googleapis" in found.found


def test_a_data_set_with_a_wrong_checksum_is_named(tmp_path):
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    for name in doctor.PUBLISHED["mnist"].sha256:
        (raw / name).write_bytes(b"altered")
    found = doctor.dataset("mnist", tmp_path, tmp_path)
    assert found.state is State.FAILS
    assert "checksum" in found.found
    assert str(raw) in found.found


def test_a_data_set_that_was_made_already_is_enough(tmp_path):
    write_dataset(tmp_path / "mnist.safetensors")
    assert doctor.dataset("mnist", tmp_path / "nowhere", tmp_path).state is State.OK


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[:-1], id="cut off"),
        pytest.param(lambda content: content[:-9] + bytes(9), id="altered"),
    ],
)
def test_a_data_set_whose_file_is_damaged_is_told_with_how_to_make_it_anew(tmp_path, damage):
    file = write_dataset(tmp_path / "mnist.safetensors")
    file.write_bytes(damage(file.read_bytes()))
    found = doctor.dataset("mnist", None, tmp_path)
    assert found.state is State.FAILS
    assert "damaged" in found.found
    assert "dataset.py mnist" in found.found


@pytest.mark.parametrize("name", ["mnist", "mnist5k"])
@pytest.mark.parametrize("kind", ["nothing", "a file", "below a file"])
def test_a_root_that_is_no_folder_is_told(tmp_path, name, kind):
    (tmp_path / "file").touch()
    place = {"nothing": "nowhere", "a file": "file", "below a file": "file/data"}[kind]
    found = doctor.dataset(name, tmp_path / place, tmp_path)
    assert found.state is State.FAILS
    assert f"{tmp_path / place}, named by data_root or ADVPRUNE_DATA" in found.found


def test_an_environment_that_is_active_is_told(monkeypatch):
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert doctor.snakemake().state is State.OK


@pytest.mark.parametrize(("there", "told"), [(True, "of another"), (False, "not on the PATH")])
def test_an_environment_that_is_not_active_is_told_with_how_to_activate_it(bare, there, told):
    if there:
        put(bare, "snakemake", "7.32")
    found = doctor.snakemake()
    assert found.state is State.NOTE
    assert told in found.found
    assert str(Path(sys.executable).parent) in found.advice


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
def test_a_home_that_cannot_be_written_is_told(monkeypatch, tmp_path, variable):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (tmp_path / "file").touch()
    monkeypatch.setenv(variable, str(tmp_path / "file"))
    found = doctor.home()
    assert found.state is State.FAILS
    assert variable in found.advice
    assert str(tmp_path / "file") in found.found


def test_a_home_that_can_be_written_is_enough(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert doctor.home().state is State.OK


@pytest.mark.data
@pytest.mark.skipif("ADVPRUNE_DATA" not in os.environ, reason="no data sets in ADVPRUNE_DATA")
@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_the_real_data_sets_have_the_right_checksums(name, tmp_path):
    found = doctor.dataset(name, Path(os.environ["ADVPRUNE_DATA"]), tmp_path)
    assert (found.state, "checksums right" in found.found) == (State.OK, True)


@pytest.mark.parametrize(
    ("error", "answers"),
    [
        (urllib.error.HTTPError("https://example.org/", 404, "Not Found", None, None), True),
        (urllib.error.URLError("no route"), False),
    ],
)
def test_a_page_that_is_not_found_is_an_answer_and_no_network_is_none(monkeypatch, error, answers):
    def fail(url, timeout):
        raise error

    monkeypatch.setattr("urllib.request.urlopen", fail)
    assert doctor._answers("https://example.org/") == answers


def test_a_missing_package_is_named_before_anything_is_imported(tmp_path):
    # -S: a Python that sees no installed package.
    ended = subprocess.run(
        [sys.executable, "-S", "workflow/scripts/doctor.py"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert "make .venv/installed" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("module", "told"),
    [
        pytest.param("import nothing_there", "No module named 'nothing_there'", id="lacks one"),
        pytest.param("raise ImportError('too old')", "too old", id="without a name"),
        pytest.param("raise RuntimeError('broken')", "broken", id="any other way"),
    ],
)
def test_a_module_from_elsewhere_that_fails_is_told_with_where_it_comes_from(
    tmp_path, module, told
):
    (tmp_path / "yaml.py").write_text(module)
    ended = run_doctor(PYTHONPATH=str(tmp_path))
    assert ended.returncode == 1
    assert told in ended.stderr
    assert f"PYTHONPATH, which is {tmp_path}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_python_that_looks_for_nothing_beside_programs_changes_nothing():
    ended = run_doctor("--config", "nowhere.yaml", PYTHONSAFEPATH="1")
    assert ended.stderr.startswith("error: config nowhere.yaml")


def test_a_package_of_another_version_is_named(monkeypatch):
    real = doctor.importlib.metadata.version
    monkeypatch.setattr(
        doctor.importlib.metadata, "version", lambda name: "1.0" if name == "torch" else real(name)
    )
    found = doctor.packages()
    assert found.state is State.NOTE
    assert "torch 1.0 where 2.14.1 is locked" in found.found


def test_a_config_that_asks_for_a_gpu_cannot_run_without_one(bare, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    config = {**QUICK, "execution": {**QUICK["execution"], "device": "cuda"}}
    found = doctor.graphics(config)
    assert found.state is State.FAILS
    assert "execution.device" in found.advice


def test_a_gpu_that_pytorch_does_not_see_is_told(bare, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    put(bare, "nvidia-smi", "GPU 0: Some GPU (UUID: GPU-1234)")
    found = doctor.graphics(QUICK)
    assert found.state is State.NOTE
    assert "1 by the driver, none by PyTorch" in found.found


MISMATCH = "Failed to initialize NVML: Driver/library version mismatch"


@pytest.mark.parametrize(
    ("device", "state"),
    [("auto", State.NOTE), ("cuda", State.FAILS)],
    ids=["asked or not", "asked"],
)
def test_a_driver_that_fails_is_quoted(bare, monkeypatch, device, state):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    put(bare, "nvidia-smi", MISMATCH, status=18)
    found = doctor.graphics({**QUICK, "execution": {**QUICK["execution"], "device": device}})
    assert found.state is state
    assert MISMATCH in found.found
    assert "restart" in found.advice


def test_a_gpu_that_no_job_would_use_is_told(bare, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    found = doctor.graphics(QUICK)
    assert found.state is State.NOTE
    assert "2 by PyTorch, none by the driver" in found.found
    assert "CUDA_VISIBLE_DEVICES=0" in found.advice


@pytest.mark.parametrize(
    ("version", "state"),
    [("conda 24.7.1", State.OK), ("conda 25.1.0", State.OK), ("conda 24.5.0", State.NOTE)],
)
def test_conda_must_be_new_enough(bare, version, state):
    put(bare, "conda", version)
    assert doctor.conda().state is state


def test_a_machine_without_conda_is_told_what_it_cannot_do(bare):
    assert "--use-conda" in doctor.conda().found


@pytest.mark.parametrize(
    ("controller", "plugin", "state", "told"),
    [
        ("DOWN", object(), State.NOTE, "no controller"),
        ("UP", None, State.NOTE, "not Snakemake's plugin"),
        ("UP", object(), State.OK, "a controller that answers"),
    ],
)
def test_slurm_needs_a_controller_that_answers_and_the_plugin(
    bare, monkeypatch, controller, plugin, state, told
):
    put(bare, "sbatch", "")
    put(bare, "scontrol", f"Slurmctld(primary) at head is {controller}")
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: plugin)
    found = doctor.slurm()
    assert (found.state, told in found.found) == (state, True)


def test_results_that_do_not_fit_on_the_disk_are_told(monkeypatch, tmp_path):
    full = doctor.shutil.disk_usage(tmp_path)._replace(free=1)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: full)
    assert doctor.disk(QUICK, tmp_path / "results/quick").state is State.FAILS


def test_on_the_disk_there_must_be_room_for_variants_and_none_for_what_is_there(
    monkeypatch, tmp_path
):
    config = load_config(PROJECT / "config/smoke.yaml")
    monkeypatch.setattr(doctor, "_mebibytes", lambda name, config: 1024.0)
    (of_mnist, others, of_variant) = (
        work.runs for _, work, *_ in doctor.all_work(config, tmp_path)
    )
    for run in of_mnist:
        (tmp_path / "runs" / run.folder).mkdir(parents=True)
        for name in doctor.TRAINED_FILES:
            (tmp_path / "runs" / run.folder / name).touch()
    needed = len(others) + len(of_variant)
    assert f"about {needed:.1f} GiB needed" in doctor.disk(config, tmp_path).found


def test_more_jobs_than_fit_into_memory_are_told_how_many_do():
    found = doctor.memory(10_000)
    assert found.state is State.NOTE
    assert found.advice.startswith("--cores ")


@pytest.mark.parametrize("config", ["nowhere.yaml", "config/schemas/config.schema.yaml"])
def test_a_config_that_cannot_be_used_is_told_in_words(config):
    ended = run_doctor("--config", config)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: config")
    assert "Traceback" not in ended.stderr
