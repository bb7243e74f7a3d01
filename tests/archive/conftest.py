"""A scale with finished runs, made by hand."""

import copy

import pytest
from finished_runs import make_scale
from workflow_tools import PROJECT

from advprune.plan.config import load_config


@pytest.fixture
def config():
    """Two seeds of full data and of low-loss, and the scores of one."""
    config = copy.deepcopy(load_config(PROJECT / "config/smoke.yaml"))
    config["execution"]["seeds_per_job"] = 2
    for study in config["studies"].values():
        for experiment in study["experiments"].values():
            experiment["seeds"] = 0
        study["scores"]["seeds"] = 0
    mnist = config["studies"]["mnist"]
    mnist["scores"]["seeds"] = 1
    mnist["experiments"]["table1"] |= {"methods": ["low-loss"], "p": [0.5, 1.0], "seeds": 2}
    return config


@pytest.fixture
def scale(config, tmp_path):
    """The folder of the results of ``config``."""
    make_scale(tmp_path / "scale", config)
    return tmp_path / "scale"
