"""Seconds by phase."""

import time

import pytest
import torch

from advprune.machine.stopwatch import Stopwatch


@pytest.fixture
def events(monkeypatch):
    """What happens in order: a GPU is waited for, and the clock, which counts up, is read."""
    happened = []

    def clock():
        happened.append("clock")
        return float(happened.count("clock"))

    monkeypatch.setattr("torch.cuda.synchronize", lambda device: happened.append(str(device)))
    monkeypatch.setattr("time.perf_counter", clock)
    monkeypatch.setattr("time.process_time", clock)
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)
    return happened


def test_the_clock_is_read_when_a_gpu_has_finished(events):
    with Stopwatch(torch.device("cuda", 1)).time("training"):
        events.append("work")
    assert events == ["cuda:1", "clock", "work", "cuda:1", "clock"]


def test_on_the_cpu_nothing_is_waited_for(events):
    with Stopwatch(torch.device("cpu")).time("training"):
        events.append("work")
    assert events == ["clock", "work", "clock"]


def test_a_pause_is_no_time_of_a_cpu():
    stopwatch = Stopwatch(torch.device("cpu"))
    with stopwatch.time("training"):
        time.sleep(0.2)
    assert stopwatch.seconds["training"] < 0.1


def test_the_seconds_of_a_cpu_are_those_of_a_thread(monkeypatch):
    seconds = iter([0.0, 8.0])
    monkeypatch.setattr("time.process_time", lambda: next(seconds))
    monkeypatch.setattr("torch.get_num_threads", lambda: 4)
    stopwatch = Stopwatch(torch.device("cpu"))
    with stopwatch.time("training"):
        pass
    assert stopwatch.seconds == {"training": 2.0}


@pytest.mark.usefixtures("events")
def test_seconds_of_one_phase_add_up():
    stopwatch = Stopwatch(torch.device("cpu"))
    for phase in ("training", "scoring", "training"):
        with stopwatch.time(phase):
            pass
    assert stopwatch.seconds == {"training": 2, "scoring": 1}


@pytest.mark.usefixtures("events")
def test_a_phase_within_another_interrupts_it():
    stopwatch = Stopwatch(torch.device("cpu"))
    with stopwatch.time("training"), stopwatch.time("scoring"):
        pass
    assert stopwatch.seconds == {"training": 2, "scoring": 1}


def test_a_share_of_what_another_has_measured_is_added():
    stopwatch, other = (Stopwatch(torch.device("cpu")) for _ in range(2))
    stopwatch.seconds, other.seconds = {"training": 1.0}, {"training": 4.0, "scoring": 2.0}
    stopwatch.add(other, 0.5)
    assert stopwatch.seconds == {"training": 3.0, "scoring": 1.0}
