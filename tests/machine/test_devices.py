"""The device that a program works on, and how PyTorch is set up for it."""

import os

import pytest
import torch

from advprune.errors import UserError
from advprune.machine.devices import (
    choose_device,
    cudnn_benchmark,
    device_of_jobs,
    tf32,
    use_deterministic_algorithms,
)


@pytest.fixture
def leases(tmp_path, monkeypatch):
    """The folder of leases on a machine where a GPU is named."""
    monkeypatch.setenv("ADVPRUNE_LEASES", str(tmp_path / "leases"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    return tmp_path / "leases"


def test_on_the_cpu_no_gpu_is_leased(leases):
    assert choose_device("cpu", 1, jobs_per_gpu=1).type == "cpu"
    assert not leases.exists()


def test_where_a_scheduler_assigns_gpus_none_is_leased(leases):
    choose_device("auto", 1, jobs_per_gpu=0)
    assert not leases.exists()


def test_a_gpu_that_is_asked_for_and_not_there_is_missed_in_words(leases, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UserError, match=r"execution.device: cuda.*none here"):
        choose_device("cuda", 1, jobs_per_gpu=1)


MISMATCH = "Failed to initialize NVML: Driver/library version mismatch"


@pytest.fixture
def failing_driver(tmp_path, monkeypatch):
    """A machine whose driver fails, as after its update, and whose PyTorch sees no GPU."""
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho '{MISMATCH}'\nexit 18\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)


@pytest.fixture
def unnamed_gpu(tmp_path, monkeypatch):
    """A machine with a GPU that PyTorch sees, and no driver that names it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)


def of_a_job(name):
    return choose_device(name, 1, jobs_per_gpu=1)


def of_the_plan(name):
    return device_of_jobs(name, 1)


@pytest.mark.usefixtures("failing_driver")
@pytest.mark.parametrize("device", [of_a_job, of_the_plan])
def test_a_driver_that_fails_is_quoted_where_work_is_done_on_the_cpu(caplog, device):
    caplog.set_level("INFO")
    assert device("auto").type == "cpu"
    assert f"working on the CPU: the driver fails: nvidia-smi: {MISMATCH}" in caplog.text


@pytest.mark.usefixtures("failing_driver")
@pytest.mark.parametrize("device", [of_a_job, of_the_plan])
def test_a_driver_that_fails_is_quoted_where_a_gpu_is_asked_for(device):
    with pytest.raises(UserError, match=rf"execution.device: cuda.*{MISMATCH}.*restart"):
        device("cuda")


@pytest.mark.usefixtures("unnamed_gpu")
@pytest.mark.parametrize("device", [of_a_job, of_the_plan])
def test_a_gpu_that_only_pytorch_sees_is_used_by_nobody_and_said_how_to_name(caplog, device):
    caplog.set_level("INFO")
    assert device("auto").type == "cpu"
    assert "CUDA_VISIBLE_DEVICES=0" in caplog.text


@pytest.mark.usefixtures("unnamed_gpu")
@pytest.mark.parametrize("device", [of_a_job, of_the_plan])
def test_a_gpu_that_only_pytorch_sees_is_used_once_it_is_named(monkeypatch, tmp_path, device):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv("ADVPRUNE_LEASES", str(tmp_path / "leases"))
    assert device("auto").type == "cuda"


@pytest.mark.usefixtures("restored_determinism")
def test_determinism_sets_the_workspace_that_cublas_must_have_for_it(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    use_deterministic_algorithms(True)
    assert torch.are_deterministic_algorithms_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


@pytest.mark.usefixtures("restored_determinism")
@pytest.mark.parametrize("before", [False, True])
def test_cudnns_switch_is_put_back_even_after_an_error(before):
    torch.backends.cudnn.benchmark = before
    with pytest.raises(ZeroDivisionError), cudnn_benchmark(not before):
        assert torch.backends.cudnn.benchmark is not before
        raise ZeroDivisionError
    assert torch.backends.cudnn.benchmark is before


@pytest.mark.parametrize("allowed", [True, False])
def test_tf32_is_allowed_within_a_block_alone(allowed):
    switches = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [switch.allow_tf32 for switch in switches]
    with tf32(allowed):
        assert [switch.allow_tf32 for switch in switches] == [allowed, allowed]
    assert [switch.allow_tf32 for switch in switches] == before
