"""Where a config departs from the paper's scale."""

import pytest
from workflow_tools import PROJECT

from advprune.plan.config import load_config
from advprune.plan.departures import PARTS, departures


def overlaid(tmp_path, text):
    (tmp_path / "overlay.yaml").write_text(text)
    return load_config(tmp_path / "overlay.yaml")


@pytest.mark.parametrize("part", PARTS)
def test_the_papers_own_config_departs_in_nothing(part):
    assert departures(load_config(), part) == []


@pytest.mark.parametrize(
    ("scale", "study", "found"),
    [
        pytest.param(
            "laptop",
            "mnist",
            [
                "evaluation.autoattack_examples 100 instead of 1000",
                "evaluation.single_attack_examples 1000 instead of all",
                "evaluation.batch_size 100 instead of 1000",
                "p 0.3, 0.6, 1.0 instead of 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0",
            ],
            id="laptop",
        ),
        pytest.param(
            "smoke",
            "cifar10",
            [
                "dataset shapes10 instead of cifar10",
                "train_examples 300 instead of all",
                "training.width 0.0625 instead of 1",
                "training.epochs 2 instead of 15",
                "evaluation.autoattack_examples 2 instead of 1000",
                "evaluation.single_attack_examples 4 instead of all",
                "p 0.5, 1.0 instead of 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0",
                "methods random, low-loss instead of random, low-loss, high-loss, lowhigh-loss, "
                "low-deepfool, high-deepfool, lowhigh-deepfool",
            ],
            id="smoke",
        ),
    ],
)
def test_a_reduced_scale_departs_in_what_its_file_says(scale, study, found):
    assert departures(load_config(PROJECT / f"config/{scale}.yaml"), study) == found


@pytest.mark.parametrize(
    ("overlay", "found"),
    [
        pytest.param("deepfool: {max_iterations: 5}", ["deepfool.max_iterations 5 instead of 50"]),
        pytest.param("execution: {precision: bfloat16}", ["precision bfloat16 instead of float32"]),
        pytest.param("execution: {tf32: true}", ["tf32 True instead of False"]),
        pytest.param("execution: {threads: 2, device: cpu}", []),
        pytest.param("studies: {mnist: {scores: {seeds: 2}}}", [], id="how many are scored"),
        pytest.param("studies: {mnist: {experiments: {table1: {seeds: 3}}}}", []),
        pytest.param(
            "studies: {cifar10: {training: {epochs: 3}}}", [], id="a setting of the other study"
        ),
    ],
)
def test_what_decides_a_number_is_a_departure_and_nothing_else(tmp_path, overlay, found):
    assert departures(overlaid(tmp_path, overlay), "mnist") == found
