"""From what was measured of a device to its costs."""

import json
import subprocess
import sys

import numpy as np
import pytest
import yaml
from workflow_tools import PROJECT

import fit
from advprune.preflight.costs import NetworkCosts


def test_the_line_goes_through_both_points():
    assert fit.line_through({4: 14.0, 24: 34.0}) == pytest.approx([10, 1])


@pytest.mark.parametrize(
    ("points", "line"),
    [({10: 1.0, 20: 4.0}, [0, 0.2]), ({10: 4.0, 20: 2.0}, [3, 0]), ({10: 5.0}, [0, 0.5])],
)
def test_neither_a_batch_nor_an_image_costs_less_than_nothing(points, line):
    assert fit.line_through(points) == pytest.approx(line)


def test_a_number_is_written_so_that_yaml_reads_a_number():
    for seconds in (0.0, 1e-9, 1.23456e-5, 0.1, 12.0, 34567.8):
        read = yaml.safe_load(fit.in_ms(seconds))
        assert isinstance(read, int | float)
        assert read == pytest.approx(1000 * seconds, rel=0.005)


def test_what_attacks_do_besides_calling_the_network_is_taken_from_a_network_like_it():
    def network(forward, gradient):
        return {"forward": np.array([0, forward]), "gradient": np.array([0, gradient])}

    small = network(1.0, 2.0) | {
        "autoattack_first": np.array([5.0, 300.0]),
        "autoattack_rest": np.array([7.0, 20_000.0]),
        "standard_update": np.array([0.0, 1.0]),
    }
    large = network(3.0, 7.0) | {"standard_update": np.array([0.0, 1.0])}
    assert fit.extrapolate(large, small) == ["autoattack_first", "autoattack_rest"]
    assert list(large["autoattack_first"]) == [5, 300 + 100 * 5]
    assert list(large["autoattack_rest"]) == [7, 20_000 + 5955 * 2 + 1810 * 5]


def test_the_costs_that_are_printed_can_be_read(tmp_path):
    kinds = [*fit.KINDS, "apgd_ce_40x5", "apgd-ce", *fit.REST]
    lines = [{"device": "a device"}, {"failed": "something", "error": "broken", "way": ""}]
    for size in (10, 20):
        for kind in kinds:
            line = {"network": "mnist_cnn 1", "way": "", "what": kind.replace("_u", " u")}
            lines.append(line | {"images": size, "seconds": [0.001 * size] * 3})
    other = lines[-1] | {"way": "TF32", "seconds": [99.0]}
    (tmp_path / "measured.jsonl").write_text("\n".join(map(json.dumps, [*lines, other])))
    program = PROJECT / "benchmarks/fit.py"
    command = [sys.executable, program, tmp_path / "measured.jsonl"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (costs,) = yaml.safe_load(printed).values()
    read = NetworkCosts.from_dict(costs)
    assert read.update.of(10, 10) == pytest.approx(0.01)
    assert read.autoattack_rest.of(10, 10) == pytest.approx(0.03)
    assert read.extrapolated == ()


def test_the_costs_of_a_cpu_are_those_that_were_measured():
    program, measured = (
        PROJECT / f"benchmarks/{name}" for name in ("fit.py", "measured_cpu.jsonl")
    )
    command = [sys.executable, program, measured]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    costs = yaml.safe_load((PROJECT / "config/costs.yaml").read_text())
    assert costs["devices"]["cpu"]["networks"] == yaml.safe_load(printed)
