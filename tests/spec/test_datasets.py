"""The data sets that can be named."""

import dataclasses

import pytest

from advprune.spec.datasets import DATASETS, wrong_in_entry


@pytest.mark.parametrize("name", DATASETS)
def test_no_entry_contradicts_itself(name):
    assert wrong_in_entry(name) == ""


@pytest.mark.parametrize(
    ("name", "changes", "told"),
    [
        pytest.param("Letters-2", {}, "name 'Letters-2' must be of a to z", id="name"),
        pytest.param("letters", {"shape": (28, 28)}, r"shape is (28, 28), but must", id="grey"),
        pytest.param("letters", {"shape": (28, 28, 1)}, "height as width", id="channels last"),
        pytest.param("letters", {"shape": (1, 28, 32)}, "height as width", id="no square"),
        pytest.param("letters", {"examples": (60_000, 0)}, "examples is (60000, 0)", id="no test"),
        pytest.param("letters", {"mean": (0.1, 0.1, 0.1)}, "must be 1 numbers", id="mean of RGB"),
        pytest.param("letters", {"mean": (33.3,)}, "mean is (33.3,)", id="mean of 255"),
        pytest.param(
            "letters", {"standard_deviation": (0.0,)}, "standard_deviation is (0.0,)", id="flat"
        ),
    ],
)
def test_what_an_entry_contradicts_is_said_in_words(monkeypatch, name, changes, told):
    monkeypatch.setitem(DATASETS, name, dataclasses.replace(DATASETS["mnist"], **changes))
    assert told in wrong_in_entry(name)
