"""What every program does alike with the numbers that it is given."""

import argparse
import ast

import pytest
from imports import PROGRAMS, module_name
from workflow_tools import PROJECT, run_program

from advprune.program import OPTIONS, seeds, whole_number


def types_in(path):
    """The names that a program gives to argparse as an option's type."""
    return {
        keyword.value.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "type" and isinstance(keyword.value, ast.Name)
    }


@pytest.mark.parametrize("path", PROGRAMS, ids=module_name)
def test_a_program_takes_no_number_without_bounds(path):
    assert types_in(path) & {"int", "float", "complex"} == set()


def test_an_option_of_several_programs_takes_no_number_without_bounds():
    assert {meaning.get("type") for _, meaning in OPTIONS.values()} & {int, float} == set()


@pytest.mark.parametrize("text", ["0", "8", "-1", "2.0", "1e1", "nan", "", "3 4", "9" * 5000])
def test_what_is_no_number_within_bounds_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="a whole number from 1 to 7"):
        whole_number(1, 7)(text)


@pytest.mark.parametrize("text", ["1", "7", " 3 "])
def test_a_number_within_bounds_is_read(text):
    assert whole_number(1, 7)(text) == int(text)


@pytest.mark.parametrize("text", ["", "1,", "1,-2", "1,1000000", "a", "1;2", "0.5"])
def test_a_seed_that_is_none_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="a whole number from 0 to 999999"):
        seeds(text)


@pytest.mark.parametrize(
    ("program", "words", "told"),
    [
        pytest.param("plan", ["--config", "config/smoke.yaml", "--jobs", "0"], "--jobs", id="plan"),
        pytest.param("doctor", ["--jobs", "0"], "--jobs", id="doctor"),
        pytest.param("train", ["--threads", "inf"], "--threads", id="train"),
        pytest.param("train", ["--seeds=1,-2"], "--seeds", id="train, seeds"),
        pytest.param("start", ["--jobs-per-gpu=-1"], "--jobs-per-gpu", id="start"),
        pytest.param("evaluate", ["--threads", "0"], "--threads", id="evaluate"),
    ],
)
def test_a_number_out_of_range_is_refused_by_each_program(program, words, told):
    ended = run_program(program, *words, cwd=PROJECT)
    assert (ended.status, "Traceback" in ended.printed) == (2, False), ended.printed
    assert f"argument {told}: it is " in ended.printed
