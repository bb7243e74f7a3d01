"""What make refuses before it does anything."""

import os
import re
import shutil
import subprocess

import pytest
from workflow_tools import BRIEFLY, PROJECT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not on the PATH")


# These tests are themselves run by make, which would hand its own switches on.
WITHOUT_MAKE = {
    name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
}


def make(*words):
    command = ["make", "-n", *words]
    return subprocess.run(command, cwd=PROJECT, env=WITHOUT_MAKE, capture_output=True, text=True)


@pytest.mark.parametrize("target", ["quick", "run", "plan", "partial", "doctor"])
@pytest.mark.parametrize("cores", ["0", "-1", "", "two", "1.5", "2 3", "04", "99999", "a'b", "nan"])
def test_a_number_of_cores_that_is_none_is_refused(target, cores):
    ended = make(target, f"CORES={cores}")
    assert ended.returncode == 2
    assert f"CORES is '{cores}', but must be a whole number from 1" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("target", ["run", "plan"])
def test_a_number_of_cores_is_handed_on(target):
    assert " 7 " in make(target, "CORES=7").stdout.replace("\n", " ")


@pytest.mark.parametrize("target", ["run", "plan"])
def test_all_cores_may_be_asked_for_by_name(target):
    assert make(target, "CORES=all").stdout == make(target).stdout


def test_of_the_two_commands_for_tests_one_leaves_out_what_is_slow_and_the_other_nothing():
    some, every = (make(target, "-o", ".venv/installed").stdout for target in ("test", "test-all"))
    assert some == every.rstrip("\n") + ' -m "not slow"\n'
    assert "\nmake test-all\n" in (PROJECT / ".ci/run").read_text()


@pytest.mark.parametrize("target", ["quick", "run", "partial"])
def test_snakemake_is_called_without_reasons_and_with_all_else_that_it_prints(target):
    printed = make(target).stdout
    assert f"{' '.join(BRIEFLY)} " in printed
    assert printed.count("--quiet") == 1


def test_where_nothing_is_published_there_is_nothing_to_make_again(tmp_path):
    command = ["make", "reference", f"PUBLISHED={tmp_path / 'none'}"]
    ended = subprocess.run(command, cwd=PROJECT, env=WITHOUT_MAKE, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (
        ended.stdout == f"Nothing is published in {tmp_path / 'none'} yet: nothing to make again\n"
    )


@pytest.mark.parametrize("target", ["compared", "publish"])
@pytest.mark.parametrize("place", ["results/reference", PROJECT / "results/reference", "/mnt/runs"])
def test_what_is_published_may_be_named_by_an_absolute_path_too(target, place):
    # Unpacked from another folder, from which a relative path leads elsewhere.
    printed = make(target, f"PUBLISHED={place}").stdout
    (found,) = re.findall(r"cd \.reference && .*unpack\.py (\S+)", printed)
    assert found == str(PROJECT / place)
