"""Reading YAML files: what YAML would lose or misread in silence is refused."""

import re

import pytest
from workflow_tools import PROJECT, run_program

from advprune.claims.claim import read_claims
from advprune.errors import UserError
from advprune.plan.config import load_config
from advprune.plan.yaml_files import read_yaml


def write(folder, text, name="overlay.yaml"):
    (folder / name).write_text(text)
    return folder / name


TWICE = [
    pytest.param("scale: a\nscale: b\n", "'scale' is given twice in lines 1 and 2", id="a value"),
    pytest.param(
        "studies:\n  mnist: {train_examples: 7}\nscale: a\nstudies:\n  cifar10: {}\n",
        "'studies' is given twice in lines 1 and 4",
        id="a block",
    ),
    pytest.param(
        "studies:\n  mnist:\n    scores: {seeds: 1}\n    scores: {epoch: 2}\n",
        "'scores' is given twice in lines 3 and 4",
        id="a block further down",
    ),
    pytest.param("figure2: {p: 0.3, 'p': 0.4}", "'p' is given twice in lines 1 and 1", id="quotes"),
    pytest.param("a: [{x: 1, x: 2}]", "'x' is given twice", id="in a list"),
    pytest.param('{"a": 1, "b": {"c": 2, "c": 3}}', "'c' is given twice", id="JSON"),
]


@pytest.mark.parametrize(("text", "told"), TWICE)
def test_a_key_that_is_given_twice_is_refused_with_its_lines(text, told, tmp_path):
    path = write(tmp_path, text)
    with pytest.raises(UserError, match=f"^config {path} cannot be read: .*{told}.* under one$"):
        load_config(path)


def test_claims_are_read_as_strictly(tmp_path):
    path = write(tmp_path, "claims:\n- id: one\n  group: effect\n  id: two\n")
    with pytest.raises(UserError, match=f"^claims {path} .*'id' is given twice in lines 2 and 4"):
        read_claims(path)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        pytest.param("a: {x: 1}\nb: {x: 2}\n", {"a": {"x": 1}, "b": {"x": 2}}, id="two mappings"),
        pytest.param(
            "a: &a {x: 1, y: 2}\nb: &b {z: 3}\nc: {<<: *a, x: 4, <<: *b}\n",
            {"a": {"x": 1, "y": 2}, "b": {"z": 3}, "c": {"x": 4, "y": 2, "z": 3}},
            id="merged mappings",
        ),
        pytest.param("1: a\n'1': b\n", {1: "a", "1": "b"}, id="a number and a text"),
        pytest.param('{\n\t"a": 5e-3}', {"a": 0.005}, id="JSON, with a tab"),
        pytest.param("p: [0.5, 5.0e-1, 0]\nn: -3\n", {"p": [0.5, 0.5, 0], "n": -3}, id="numbers"),
        pytest.param("e: '010'\nt: '1:30'\n", {"e": "010", "t": "1:30"}, id="text"),
    ],
)
def test_what_gives_each_key_once_is_read(text, content, tmp_path):
    assert read_yaml(write(tmp_path, text), "config") == content


@pytest.mark.parametrize(("number", "value"), [("010", 8), ("-017", -15), ("1:30", 90)])
def test_a_whole_number_in_a_notation_of_old_is_refused(number, value, tmp_path):
    path = write(tmp_path, f"scale: a\nfigure2: {{examples: {number}}}\n")
    with pytest.raises(UserError, match=f"{number} in line 2 is {value} in YAML"):
        load_config(path)


@pytest.mark.parametrize(
    ("key", "text", "spelling"),
    [
        pytest.param("max_learning_rate", "5e-3", "5.0e-3", id="no dot"),
        pytest.param("weight_decay", "1e-4", "1.0e-4", id="an example"),
        pytest.param("weight_decay", "2.5E-4", None, id="a number"),
        pytest.param("max_learning_rate", "+.05e1", "0.05e+1", id="no sign"),
        pytest.param("epsilon", "3e-1", "3.0e-1", id="where text may stand"),
        pytest.param("batch_size", "1e2", "100", id="a whole number"),
        pytest.param("epochs", "1.5e1", "15", id="a whole number with a dot"),
    ],
)
def test_a_number_with_an_exponent_that_is_text_is_told_how_to_be_written(
    key, text, spelling, tmp_path
):
    overlay = "studies: {{mnist: {{training: {{{}: {}}}}}}}".format
    path = write(tmp_path, overlay(key, text))
    if spelling is None:
        load_config(path)
        return
    told = f"training.{key} is '{text}', but .* ({text} is text in YAML: write {spelling})"
    with pytest.raises(UserError, match=re.escape(told).replace(r"\.\*", ".*")):
        load_config(path)
    load_config(write(tmp_path, overlay(key, spelling)))


def test_a_number_that_is_text_on_the_command_line_alone_is_told_to_be_set_in_a_file(tmp_path):
    path = write(tmp_path, "figure2: {p: '5.0e-1'}")
    with pytest.raises(UserError, match="set it in a config file"):
        load_config(path)


def test_overlays_that_are_named_one_by_one_all_count(tmp_path):
    scale = write(tmp_path, "scale: one\n")
    wrong = write(tmp_path, "figure2: {p: 7}\n", "wrong.yaml")
    for program in ("plan", "doctor"):
        ended = run_program(program, "--config", wrong, "--config", scale, cwd=PROJECT)
        assert ended.status == 1
        assert "figure2.p is 7" in ended.printed


def test_what_is_no_json_is_refused_in_words(tmp_path):
    ended = run_program("write_config", "--config", "{", "--output", tmp_path / "c", cwd=PROJECT)
    assert (ended.status, ended.printed[:25]) == (1, "error: --config is not JS")
