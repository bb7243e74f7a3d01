"""What is measured of a device for the cost model, here on the CPU at a tiny size."""

import io
import json
import subprocess
import sys

import pytest
import torch
from workflow_tools import PROJECT

import gpu

AT = gpu.Device(torch.device("cpu"))


def lines(file):
    return [json.loads(line) for line in file.getvalue().splitlines()]


@pytest.mark.slow
def test_all_kinds_of_work_are_measured(tmp_path):
    program, output = PROJECT / "benchmarks/gpu.py", tmp_path / "new/tiny.jsonl"
    arguments = ["--device", "cpu", "--tiny", "--output", output]
    ended = subprocess.run([sys.executable, program, *arguments], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == output.read_text()
    device, *found = map(json.loads, output.read_text().splitlines())
    assert device["torch"] == torch.__version__
    work = {"update", "standard update", "forward", "gradient", "first step", "further step"}
    attacks = {"apgd_ce_40x5", "apgd-ce", "apgd-t", "fab-t", "square"}
    assert {line["what"] for line in found} == work | attacks
    assert all(line["network"] == "mnist_cnn 0.25" for line in found)
    assert all(min(line["seconds"]) >= 0 and line["images"] > 0 for line in found)


def test_every_image_withstands_the_attacks_and_no_work_is_saved(monkeypatch):
    subject, standing = gpu.TINY[0], []
    attack = gpu.withstand
    monkeypatch.setattr(gpu, "withstand", lambda *given: standing.append(attack(*given)))
    assert len(list(gpu.single_attack(subject, AT))) == 1
    assert all(still.all() for still in standing) and standing


def test_deepfool_takes_the_steps_that_are_counted(monkeypatch):
    taken = []
    walk = gpu.deepfool
    monkeypatch.setattr(gpu, "deepfool", lambda *given: taken.append(walk(*given).iterations))
    list(gpu.distances(gpu.TINY[0], AT))
    assert {int(steps) for each in taken for steps in each} == set(gpu.STEPS)


def test_what_fails_is_said_and_stops_nothing(monkeypatch):
    def broken(*_):
        yield "first", 1, [0.5]
        raise RuntimeError("out of memory")

    def fine(*_):
        yield "second", 1, [0.25]

    subject, file = gpu.TINY[0], io.StringIO()
    work = [(subject, "", broken()), (subject, "", fine())]
    monkeypatch.setattr(gpu, "parts", lambda *_: iter(work))
    assert gpu.record_all((subject,), AT, file, 60) == 1
    first, failed, second = lines(file)
    assert (first["what"], second["what"]) == ("first", "second")
    assert failed["failed"] == "broken" and failed["error"] == "out of memory"


def test_nothing_is_begun_when_the_time_is_over():
    file = io.StringIO()
    missing = gpu.record_all(gpu.TINY, AT, file, -1)
    assert missing == len(lines(file)) > 5
    assert all("skipped" in line for line in lines(file))


def test_each_line_is_there_as_soon_as_it_is_measured(tmp_path):
    with open(tmp_path / "lines", "w") as file:
        gpu.write_line(file, {"seconds": [0.123456]})
        assert json.loads((tmp_path / "lines").read_text()) == {"seconds": [0.1235]}


def test_a_gpu_is_not_asked_for_where_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--output", str(tmp_path / "x")])
    with pytest.raises(SystemExit, match="--device cpu measures the CPU"):
        gpu.main()
