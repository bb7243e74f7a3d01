"""Timing in turn, and the table of all numbers."""

import csv
import itertools
import sys

import pytest

import measuring


def test_ways_are_timed_in_turn_and_the_order_turns_round():
    called = []
    ways = {name: lambda name=name: called.append(name) for name in "ab"}
    measuring.interleaved(ways, rounds=2)
    assert "".join(called) == "ab" + "ab" + "ba"


def test_the_first_call_does_not_count():
    clock = itertools.count().__next__  # a second between two looks at it
    assert measuring.interleaved({"a": lambda: None}, rounds=2, clock=clock) == {"a": [1, 1]}


def test_a_ratio_is_that_of_seconds_of_the_same_round():
    # "slow" takes 2, 4 and 6 seconds, "fast" 1, 2 and 6.
    readings = iter([0, 2, 0, 1, 0, 2, 0, 4, 0, 6, 0, 6])
    table = measuring.Table("subject")
    ways = {"slow": lambda: None, "fast": lambda: None}
    table.compare("work", ways, rounds=3, clock=readings.__next__)
    ratio = table.rows[-1]
    assert (ratio.way, ratio.unit) == ("fast", "times")
    assert (ratio.median, ratio.least, ratio.most, ratio.rounds) == (2, 1, 2, 3)


def test_seconds_are_of_one_of_what_a_call_counts_for():
    readings = iter([0, 2])
    table = measuring.Table("subject")
    per = (500, "CPU milliseconds an image")
    table.compare("work", {"a": lambda: None}, rounds=1, per=per, clock=readings.__next__)
    assert [row.median for row in table.rows] == [4]


def test_a_table_is_written_as_csv_a_row_a_number(tmp_path):
    table = measuring.Table("subject")
    table.add("quantity", "way, one", "unit", [3.0, 1.0, 2.00004])
    measuring.write_table(tmp_path / "new/table.csv", table.rows)
    with open(tmp_path / "new/table.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert list(row.values()) == ["subject", "quantity", "way, one", "unit", "2", "1", "3", "3"]


def test_a_program_that_fails_is_not_timed(tmp_path):
    with pytest.raises(RuntimeError, match="failed"):
        measuring.run(["false"], cwd=tmp_path)


def test_the_memory_of_a_program_is_its_own(tmp_path):
    held = bytearray(200_000_000)  # by whoever starts it
    small = measuring.taken_by([sys.executable, "-c", ""], tmp_path)
    large = measuring.taken_by([sys.executable, "-c", "bytearray(300_000_000)"], tmp_path)
    assert len(held) and small[2] < 100 < 280 < large[2]


def test_what_a_failing_program_takes_is_not_told(tmp_path):
    with pytest.raises(RuntimeError, match="no such thing"):
        measuring.taken_by([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path)
