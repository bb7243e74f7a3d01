"""The two protocols: every difference is one switch, documented, and does what its line says."""

import copy
import re

import pytest
import yaml
from workflow_tools import PROJECT

from advprune.errors import UserError
from advprune.plan.config import DEFAULT, load_config
from advprune.plan.exhibits import runs_of
from advprune.plan.protocols import PROTOCOLS, SWITCHES, resolve_protocol, results_name

RELEASED = PROJECT / "config/released.yaml"
NOTES = (PROJECT / "docs/paper_notes.md").read_text(encoding="utf-8")
DEFAULT_CONTENT = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
PAPER_CONFIG, RELEASED_CONFIG = load_config(), load_config(RELEASED)


def leaves(content, above=""):
    """Dotted key to value, of every value in nested mappings."""
    found = {}
    for key, value in content.items():
        if isinstance(value, dict):
            found |= leaves(value, f"{above}{key}.")
        else:
            found[above + key] = value
    return found


def overlay(key, value):
    """The nested mapping that sets one dotted key."""
    for name in reversed(key.split(".")):
        value = {name: value}
    return value


def config_with(tmp_path, settings):
    """The default config but for some dotted keys, read from overlays."""
    paths = []
    for number, (key, value) in enumerate(settings.items()):
        paths.append(tmp_path / f"{number}.yaml")
        paths[-1].write_text(yaml.safe_dump(overlay(key, value)))
    return load_config(*paths)


def differing(first, second):
    first, second = leaves(first), leaves(second)
    return {key for key in first.keys() | second.keys() if first.get(key) != second.get(key)}


# What a protocol is.


def test_the_protocols_differ_in_exactly_the_switches_listed():
    assert differing(PAPER_CONFIG, RELEASED_CONFIG) == {"protocol", *SWITCHES}


@pytest.mark.parametrize(("key", "values"), SWITCHES.items())
def test_a_switch_has_the_value_of_its_protocol(key, values):
    assert (leaves(PAPER_CONFIG)[key], leaves(RELEASED_CONFIG)[key]) == values


def test_the_default_config_leaves_exactly_the_switches_to_the_protocol():
    nulls = {key for key, value in leaves(DEFAULT_CONTENT).items() if value is None}
    left = {
        key
        for key in nulls
        if key != "data_root" and not key.endswith(("_examples", ".autoattack_seeds"))
    }
    assert left == set(SWITCHES)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("key", "values"), SWITCHES.items())
def test_a_switch_can_be_set_alone_under_either_protocol(tmp_path, protocol, key, values):
    under = {"paper": PAPER_CONFIG, "released": RELEASED_CONFIG}[protocol]
    other = values[1 - PROTOCOLS.index(protocol)]
    config = config_with(tmp_path, {"protocol": protocol, key: other})
    assert differing(config, under) == {key}
    assert leaves(config)[key] == other


def test_resolving_leaves_the_config_it_is_given_as_it_is():
    config = copy.deepcopy(DEFAULT_CONTENT)
    resolve_protocol(config)
    assert config == DEFAULT_CONTENT


def test_resolving_twice_is_resolving_once():
    assert resolve_protocol(RELEASED_CONFIG) == RELEASED_CONFIG


@pytest.mark.parametrize("protocol", ["papre", None, 3, [], {}])
def test_an_unknown_protocol_is_refused(protocol):
    with pytest.raises(UserError, match=r"config: protocol is .*, but must be one of paper, rele"):
        resolve_protocol(DEFAULT_CONTENT | {"protocol": protocol})


def test_null_is_refused_where_the_protocol_has_no_say(tmp_path):
    with pytest.raises(UserError, match=r"deepfool.overshoot is None, but must be a number"):
        config_with(tmp_path, {"deepfool.overshoot": None})


@pytest.mark.parametrize("name", ["laptop", "quick", "smoke"])
def test_a_scale_plans_the_same_runs_under_either_protocol(name):
    scale = PROJECT / f"config/{name}.yaml"
    assert runs_of("all", load_config(scale)) == runs_of("all", load_config(scale, RELEASED))


@pytest.mark.parametrize(
    ("config", "name"), [(PAPER_CONFIG, "paper"), (RELEASED_CONFIG, "paper-released")]
)
def test_each_protocol_has_a_folder_of_its_own(config, name):
    assert results_name(config) == name


# What is written of the switches.


def as_yaml(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def rows_of_notes():
    """Key to what the notes' table says of it; one row may be of ``a.b`` and ``c``, that is a.c."""
    rows = {}
    for row in re.findall(r"^\| `.*$", NOTES, re.MULTILINE):
        _, named, *cells = re.split(r"(?<!\\)\|", row)
        first, *others = re.findall(r"`(.*?)`", named)
        above = first.rpartition(".")[0]
        rows |= dict.fromkeys([first, *(f"{above}.{other}" for other in others)], cells)
    return rows


@pytest.mark.parametrize("key", SWITCHES)
def test_the_notes_give_both_values_of_a_switch(key):
    rows = rows_of_notes()
    of_any_study = re.sub(r"^studies\.\w+\.", "studies.<study>.", key)
    *_, paper, released, _ = rows.get(key) or rows[of_any_study]
    for cell, value in zip((paper, released), SWITCHES[key], strict=True):
        assert f"`{as_yaml(value)}`" in cell


def test_the_default_config_says_beside_each_switch_what_the_protocols_make_of_it():
    said = re.findall(r": null +# (\S+); released: ([^\s;]+)", DEFAULT.read_text(encoding="utf-8"))
    in_order = [SWITCHES[key] for key in leaves(DEFAULT_CONTENT) if key in SWITCHES]
    assert said == [tuple(map(as_yaml, values)) for values in in_order]
