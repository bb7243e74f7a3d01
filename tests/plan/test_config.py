"""Reading and checking the config: right ones pass, wrong ones are refused in one sentence."""

import copy
import dataclasses
import json
import math
import re

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from snakemake.utils import update_config
from workflow_tools import PROJECT, run_program

from advprune.errors import UserError
from advprune.plan.blocks import run_blocks, starts_of
from advprune.plan.config import (
    DEFAULT,
    SCHEMA,
    check_config,
    load_config,
    read_config,
    seeds_of,
    study_of,
    variant_config,
    whole,
    write_config,
)
from advprune.plan.exhibits import runs_of
from advprune.plan.protocols import resolve_protocol
from advprune.plan.specify import evaluation_spec, start_spec, training_spec
from advprune.spec.datasets import DATASETS
from advprune.spec.networks import NETWORKS
from advprune.spec.runs import Run, Start

SCHEMA_CONTENT = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
DEFAULT_CONTENT = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
# What the paper claims stands beside the configs, but is none.
CONFIGS = sorted(
    path
    for path in (PROJECT / "config").glob("*.yaml")
    if path.name not in ("paper_claims.yaml", "costs.yaml")
)
PAPER = load_config()
ACCURACY = "studies.mnist.experiments.accuracy"
AUTOATTACK_SEEDS = "studies.mnist.evaluation.autoattack_seeds"


def with_value(path, value):
    """The default config but for one value, named by a path such as ``figure2.p``."""
    config = copy.deepcopy(DEFAULT_CONTENT)
    *above, last = path.split(".")
    holder = config
    for key in above:
        holder = holder[key]
    holder[last] = value
    return config


def refusal(config):
    """The message with which a config is refused."""
    with pytest.raises(UserError) as caught:
        check_config(resolve_protocol(config))
    return str(caught.value)


# Right ones.


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_config_that_comes_with_the_project_is_right(path):
    load_config(path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("data_root", "data", id="a folder"),
        pytest.param("studies.mnist.training.epsilon", 0.1, id="a bound as a number"),
        pytest.param("studies.mnist.training.epsilon", "4/255", id="a bound as a fraction"),
        pytest.param("studies.mnist.train_examples", 60_000, id="all examples by their number"),
        pytest.param(f"{ACCURACY}.seeds", [3, 7], id="seeds as a list"),
        pytest.param(f"{ACCURACY}.p", [1], id="p = 1 as a whole number"),
        pytest.param(f"{ACCURACY}.p", [0.1234], id="p with four decimals"),
        pytest.param(f"{ACCURACY}.e", [10], id="the last epoch"),
        pytest.param("studies.mnist.dataset", "fashion_mnist", id="another data set"),
    ],
)
def test_a_value_is_accepted(path, value):
    check_config(resolve_protocol(with_value(path, value)))


@pytest.mark.parametrize("name", ["table1", "pruning_epoch"])
def test_a_study_need_not_have_every_experiment(name):
    config = copy.deepcopy(DEFAULT_CONTENT)
    del config["studies"]["mnist"]["experiments"][name]
    check_config(resolve_protocol(config))


# Wrong ones. Each message names the key, the value and what is allowed.


WRONG = [
    ("colour", "red", "colour is no key", "scale"),
    ("partail", True, "partail is no key", "'partial'"),
    ("studies.mnist.training.epoch", 3, "studies.mnist.training.epoch is no key", "'epochs'"),
    ("figure2.p", 1.5, "figure2.p is 1.5", "above 0 and at most 1"),
    ("figure2.p", 0, "figure2.p is 0", "above 0 and at most 1"),
    (f"{ACCURACY}.p", [0.5, -0.1], "p[1] is -0.1", "above 0 and at most 1"),
    (f"{ACCURACY}.p", [], "p is []", "at least one share"),
    (f"{ACCURACY}.p", [0.5, 0.5], "[0.5, 0.5]", "each once"),
    (f"{ACCURACY}.p", [0.12345], "0.12345", "at most 4 decimals"),
    (f"{ACCURACY}.methods", ["low-los"], "'low-los'", "low-loss", "lowhigh-deepfool"),
    (f"{ACCURACY}.methods", ["full"], "'full'", "random"),
    ("studies.mnist.experiments.standard.methods", ["random"], "'random'", "standard"),
    (f"{ACCURACY}.methods", "random", "'random'", "a list"),
    ("studies.mnist.training.epochs", "ten", "epochs is 'ten'", "whole number"),
    ("studies.mnist.training.epochs", 2.5, "epochs is 2.5", "whole number"),
    ("studies.mnist.training.epochs", 3.0, "epochs is 3.0", "whole number"),
    ("studies.mnist.training.epochs", True, "epochs is True", "whole number"),
    (f"{ACCURACY}.seeds", -1, "seeds is -1", "how many seeds"),
    (f"{ACCURACY}.seeds", 3.0, "seeds is 3.0", "how many seeds"),
    (f"{ACCURACY}.seeds", [1, 1], "[1, 1]", "each once"),
    (f"{ACCURACY}.seeds", [-1], "[-1]", "seed"),
    (f"{ACCURACY}.e", [1, 11], "e has 11", "at most 10", "epochs"),
    (f"{ACCURACY}.e", [0], "e[0] is 0", "from 1"),
    *(
        (f"studies.{path}.e", [1, 2], f"{path}.e is [1, 2]", "one epoch", "pruning_epoch")
        for path in (
            *(f"mnist.experiments.{name}" for name in ("accuracy", "table1", "sensitivity")),
            "cifar10.experiments.accuracy",
        )
    ),
    (f"{ACCURACY}.e", [1.0], "e[0] is 1.0", "whole number"),
    *(
        (
            f"studies.cifar10.experiments.{name}",
            DEFAULT_CONTENT["studies"]["mnist"]["experiments"][name],
            f"cifar10.experiments.{name} is not used: it is about MNIST alone",
        )
        for name in ("table1", "pruning_epoch", "sensitivity", "by_epoch")
    ),
    ("studies.mnist.scores.epoch", 11, "scores.epoch is 11", "at most 10"),
    ("studies.mnist.dataset", "minst", "dataset is 'minst'", "mnist5k"),
    ("studies.mnist.dataset", "cifar10", "studies.cifar10.dataset is 'cifar10'", "its own"),
    ("studies.mnist.train_examples", 60_001, "train_examples is 60001", "at most 60000"),
    *(
        (f"studies.mnist.evaluation.{name}", 10_001, f"{name} is 10001", "at most 10000")
        for name in ("autoattack_examples", "single_attack_examples")
    ),
    ("studies.mnist.scores.seeds", -1, "scores.seeds is -1", "how many seeds"),
    (AUTOATTACK_SEEDS, 0, "autoattack_seeds is 0", "from 1"),
    (AUTOATTACK_SEEDS, 45, "autoattack_seeds is 45", "whole blocks of execution.seeds_per", "30"),
    (AUTOATTACK_SEEDS, [*range(29)], "autoattack_seeds is [0, 1", "whole blocks of", "30"),
    (AUTOATTACK_SEEDS, [], "autoattack_seeds is []", "seeds"),
    ("studies.mnist.scores.loss_taken", "later", "loss_taken is 'later'", "after_pass"),
    ("studies.mnist.training.network", "resnet", "network is 'resnet'", "mnist_cnn"),
    ("execution.device", "gpu", "device is 'gpu'", "cuda"),
    ("partial", "false", "partial is 'false'", "true or false"),
    ("studies.mnist.training.epsilon", "8/0", "epsilon is '8/0'", "8/255"),
    ("studies.mnist.training.epsilon", "300/255", "'300/255'", "below 1"),
    ("scale", "../elsewhere", "scale is '../elsewhere'", "letters"),
    ("scale", "mini-released", "'mini-released'", "nor ends in"),
    ("scale", "datasets", "'datasets'", 'neither "datasets"'),
    ("scale", "a\n", "scale is 'a\\n'", "letters"),
    ("figure2.perplexity", math.nan, "perplexity is nan"),
    ("figure2.perplexity", math.inf, "perplexity is inf"),
    ("figure2.perplexity", 10**400, "perplexity is 1000", "at most 1000"),
    (f"{ACCURACY}.seeds", 10**400, "seeds is 1000", "how many seeds"),
    (f"{ACCURACY}.p", [10**400], "p[0] is 1000", "at most 1"),
    ("studies.mnist.training.width", 16**5000, "thousands"),
    ("studies.mnist.training.width", 1e300, "1e+300", "at most 16"),
    ("studies.mnist.training.momentum", 1, "is 1", "below 1"),
    ("deepfool.overshoot", 1e300, "is 1e+300", "from 0 to 1000"),
    ("studies.mnist.train_examples", 10**30, "is 1000", "10000000"),
    ("data_root", "a\0b", "'a\\x00b'", "a folder"),
    ("data_root", "\ud800", "'\\ud800'", "a folder"),
    ("data_root", "", "data_root is ''", "a folder"),
    (f"{ACCURACY}.p", [math.nan], "p[0] is nan"),
    ("studies", None, "studies is None"),
    ("appendix_c.p_fragile", 0.96, "p_fragile is 0.96", "below p_robust"),
]


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [pytest.param(path, value, told, id=f"{path}: {told[0]}") for path, value, *told in WRONG],
)
def test_a_wrong_value_is_refused_by_name_with_what_is_allowed(path, value, told):
    message = refusal(with_value(path, value))
    assert [part for part in told if part not in message] == [], message


@pytest.mark.parametrize("key", DEFAULT_CONTENT)
def test_a_missing_key_is_named(key):
    config = {name: value for name, value in DEFAULT_CONTENT.items() if name != key}
    assert refusal(config) == f"config: {key} is missing"


def test_a_refusal_is_one_line_however_much_is_wrong():
    config = with_value("figure2.p", 7) | {"partial": 3, "scale": 4}
    assert "\n" not in refusal(config)


@pytest.mark.parametrize("value", ["gpu", "CUDA"])
def test_a_wrong_word_among_words_gets_no_advice_about_numbers(value):
    assert "--config" not in refusal(with_value("execution.device", value))


@pytest.mark.parametrize(
    ("name", "changes", "told"),
    [
        pytest.param("my-letters", {}, "the name 'my-letters' must be of a to z", id="name"),
        pytest.param("letters", {"shape": (28, 28)}, "shape is (28, 28)", id="shape"),
    ],
)
def test_a_data_set_whose_entry_is_wrong_is_refused_before_any_job(
    monkeypatch, name, changes, told
):
    entry = dataclasses.replace(DATASETS["mnist"], **changes)
    monkeypatch.setitem(DATASETS, name, entry)
    message = refusal(with_value("studies.mnist.dataset", name))
    assert f"studies.mnist.dataset is '{name}', whose entry in" in message
    assert told in message


@pytest.mark.parametrize(("classes", "refused"), [(3, True), (4, False)])
def test_a_data_set_with_too_few_classes_for_autoattack_is_refused(monkeypatch, classes, refused):
    few = dataclasses.replace(DATASETS["mnist"], classes=classes)
    monkeypatch.setitem(DATASETS, "few", few)
    config = with_value("studies.mnist.dataset", "few")
    if refused:
        message = refusal(config)
        assert "studies.mnist.dataset is 'few', which has 3 classes" in message
        assert "4 or more" in message
    else:
        check_config(resolve_protocol(config))


# Whatever a config says, it is either accepted or refused in words.


def paths_in(content, above=()):
    """The path of every mapping, list and value in a config."""
    yield above
    if isinstance(content, dict | list):
        for key in content if isinstance(content, dict) else range(len(content)):
            yield from paths_in(content[key], (*above, key))


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 12),
    st.integers(),
    st.integers(0, 9_000).map(lambda digits: 10**digits),
    st.floats(),
    st.integers(0, 12).map(float),
    st.text(max_size=5),
    st.sampled_from(["8/255", "2/1", "random", "full", "standard", "mnist5k", "shapes10", "auto"]),
)
keys = st.text(max_size=4) | st.sampled_from(["seed", "p", "e"]) | st.integers() | st.booleans()
values = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.dictionaries(keys, scalars, max_size=2),
)
mutations = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.sampled_from(list(paths_in(DEFAULT_CONTENT))[1:]), values),
        st.tuples(st.just("delete"), st.sampled_from(list(paths_in(DEFAULT_CONTENT))[1:])),
        st.tuples(st.just("add"), st.sampled_from(list(paths_in(DEFAULT_CONTENT))), keys, values),
    ),
    min_size=1,
    max_size=3,
)


def mutated(changes):
    """The default config after some changes; those that have become impossible are left out."""
    config = copy.deepcopy(DEFAULT_CONTENT)
    for kind, path, *rest in changes:
        try:
            holder = config
            for key in path if kind == "add" else path[:-1]:
                holder = holder[key]
            if kind == "delete":
                del holder[path[-1]]
            elif kind == "set":
                holder[path[-1]] = copy.deepcopy(rest[0])
            elif isinstance(holder, dict):
                holder[rest[0]] = copy.deepcopy(rest[1])
        except (KeyError, IndexError, TypeError):
            continue
    return config


@settings(max_examples=100, deadline=None)
@given(changes=mutations)
@example(changes=[("set", (*ACCURACY.split("."), "p"), [math.nan])])
@example(changes=[("set", ("studies", "mnist", "training", "epsilon"), 10**400)])
@example(changes=[("add", (), 1, 2), ("add", (), "one", 2), ("add", (), True, 2)])
@example(changes=[("set", (*ACCURACY.split("."), "seeds"), 3.0)])
@example(changes=[("set", (*ACCURACY.split("."), "e"), [1.0])])
def test_a_config_is_refused_in_words_or_can_be_planned_and_written_down(changes):
    try:
        config = resolve_protocol(mutated(changes))
        check_config(config)
    except UserError as error:
        assert re.match(r"config: .+", str(error))
        return
    for study in config["studies"].values():
        for experiment in study["experiments"].values():
            # Planning a million runs proves no more than planning two of each.
            if not isinstance(experiment["seeds"], list):
                assert isinstance(experiment["seeds"], int)
                experiment["seeds"] = min(experiment["seeds"], 2)
    json.dumps(config, allow_nan=False)
    for run in runs_of("all", config):
        training, evaluation = training_spec(run, config), evaluation_spec(run, config)
        assert 1 <= run.e <= training.epochs
        assert training.epsilon is None or 0 < training.epsilon < 1
        assert 0 < evaluation.epsilon < 1
        assert re.fullmatch(r"[01]\.[0-9]+", run.p)
        assert re.fullmatch(r"e[0-9]+", run.folder.parts[3])
        json.dumps(training.to_dict(), allow_nan=False)
    for start in starts_of(runs_of("all", config), config):
        json.dumps(start_spec(start, config).to_dict(), allow_nan=False)


# Overlays.


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_an_overlay_is_merged_as_snakemake_merges_it(path):
    merged = copy.deepcopy(DEFAULT_CONTENT)
    update_config(merged, yaml.safe_load(path.read_text(encoding="utf-8")))
    assert load_config(path) == resolve_protocol(merged)


def test_equal_configs_are_the_same_text_however_they_were_merged():
    def turned(content):
        if not isinstance(content, dict):
            return content
        return {key: turned(content[key]) for key in reversed(content)}

    text = json.dumps(whole(turned(load_config(PROJECT / "config/smoke.yaml"))))
    assert text == json.dumps(load_config(PROJECT / "config/smoke.yaml"))
    assert text.index('"mnist":') < text.index('"cifar10":')


def test_names_that_the_default_lacks_are_in_one_order():
    names, texts = ["one", "two", "three"], set()
    for order in (names, names[::-1]):
        config = DEFAULT_CONTENT | {"variants": {name: {} for name in order}}
        texts.add(json.dumps(whole(config)))
    assert len(texts) == 1


def test_a_later_overlay_wins_over_an_earlier_one(tmp_path):
    (tmp_path / "one.yaml").write_text("scale: one\nfigure2: {p: 0.5}\n")
    (tmp_path / "two.yaml").write_text("scale: two\n")
    config = load_config(tmp_path / "one.yaml", tmp_path / "two.yaml")
    assert (config["scale"], config["figure2"]["p"]) == ("two", 0.5)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(None, "cannot be read", id="missing"),
        pytest.param(b"a: [", "cannot be read", id="no YAML"),
        pytest.param(b"\xff\xfe\x00", "cannot be read", id="no text"),
        pytest.param(b"a: " + b"1" * 5000, "cannot be read", id="5,000 digits"),
        pytest.param(b"- a\n", "not a mapping", id="list"),
        pytest.param(b"!!python/object/apply:os.getcwd []", "cannot be read", id="code"),
    ],
)
def test_an_overlay_that_cannot_be_used_is_named(tmp_path, content, told):
    path = tmp_path / "overlay.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=f"config {path} .*{told}"):
        load_config(path)


# Networks.


NARROW = with_value("studies.cifar10.training.width", 0.125)


def with_execution(config, **values):
    return {**config, "execution": {**config["execution"], **values}}


def test_channels_last_with_a_narrow_resnet_are_refused_on_a_cpu():
    with pytest.raises(UserError, match=r"channels_last is true, .* the width to 0\.25 or more"):
        check_config(resolve_protocol(with_execution(NARROW, channels_last=True)))


@pytest.mark.parametrize(
    "allowed", [{"channels_last": False}, {"channels_last": True, "device": "cuda"}], ids=str
)
def test_a_narrow_resnet_is_allowed_elsewhere(allowed):
    check_config(resolve_protocol(with_execution(NARROW, **allowed)))


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_that_is_registered_is_allowed(network):
    check_config(resolve_protocol(with_value("studies.mnist.training.network", network)))


# The schema, the default config and their documentation keep step.


def schema_keys(schema, above=()):
    """The path of every key that the schema knows."""
    if "$ref" in schema:
        schema = SCHEMA_CONTENT["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    for key, below in schema.get("properties", {}).items():
        yield (*above, key)
        yield from schema_keys(below, (*above, key))


def config_keys():
    return {path for path in paths_in(DEFAULT_CONTENT) if path and isinstance(path[-1], str)}


def test_a_key_of_the_schema_is_in_the_default_config_but_for_optional_experiments():
    optional = {
        path
        for path in schema_keys(SCHEMA_CONTENT)
        if path[:3] == ("studies", "cifar10", "experiments")
        and path[3:4] in (("table1",), ("pruning_epoch",), ("sensitivity",), ("by_epoch",))
    }
    assert set(schema_keys(SCHEMA_CONTENT)) - optional == config_keys()


def explained_keys():
    """The path of every key in the README's table: ``a.<study>.b`` for each study, and of
    ``a.b`` and ``c`` in one row also a.c."""
    found = set()
    readme = (PROJECT / "config/README.md").read_text(encoding="utf-8")
    for cell in re.findall(r"^\| (`.*?`) \|", readme, re.M):
        first, *others = re.findall(r"`(.*?)`", cell)
        *above, _ = first.split(".")
        for key in (first, *(".".join([*above, other]) for other in others)):
            found.add(tuple(key.split(".")))
    return found


def in_general(path):
    """A key's path as the README writes it."""
    if path[0] != "studies":
        return path
    below = path[2:]
    if below[0] == "experiments":
        below = ("experiments", "<experiment>", *below[2:])
    return ("studies", "<study>", *below)


def test_the_readme_explains_every_config_and_every_key_that_holds_a_value_and_no_others():
    keys, files = config_keys(), {tuple(path.name.split(".")) for path in CONFIGS}
    holders = {path[:-1] for path in keys}
    assert explained_keys() == files | {in_general(path) for path in keys - holders}


# Parts of a config.


@pytest.mark.parametrize(("seeds", "listed"), [(3, [0, 1, 2]), ([5, 2], [5, 2])])
def test_a_number_of_seeds_means_that_many_from_0(seeds, listed):
    assert seeds_of({"seeds": seeds}) == listed


def test_a_data_set_belongs_to_the_study_that_uses_it():
    smoke = load_config(PROJECT / "config/smoke.yaml")
    assert study_of("shapes10", smoke) is smoke["studies"]["cifar10"]


# The config that a scale was run with, as it is published.


@pytest.fixture
def written(tmp_path):
    write_config(tmp_path / "config.json", load_config())
    return tmp_path / "config.json"


def test_a_config_that_was_written_down_is_read_back_and_any_json_reader_can_read_it(written):
    assert read_config(written) == json.loads(written.read_text()) == load_config()


@pytest.mark.parametrize(
    ("old", "new"), [('"epsilon": 0.3', '"epsilon": 0.2'), ('"epsilon"', '"epsilom"'), ("{", "")]
)
def test_a_config_that_was_edited_since_is_refused_with_what_to_delete(written, old, new):
    text = written.read_text()
    assert old in text
    written.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=f"{written} is not what was written: delete {written} and"):
        read_config(written)


def test_a_wrong_config_is_not_written_down(tmp_path):
    with pytest.raises(UserError, match=r"figure2\.p is 7"):
        write_config(tmp_path / "config.json", resolve_protocol(with_value("figure2.p", 7)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("program", ["exhibit", "where_to_look"])
def test_a_program_refuses_an_edited_config(written, program):
    (written.parent / "tables").mkdir()
    (written.parent / "tables/table1.md").touch()
    written.write_text(written.read_text().replace('"epochs": 10', '"epochs": 11'))
    output = written.with_name("figure7.csv")
    arguments = {
        "exhibit": ("figure7", "--config", written, "--output", output),
        "where_to_look": (written.parent,),
    }
    ended = run_program(program, *arguments[program], cwd=PROJECT)
    assert (ended.status, "Traceback" in ended.printed) == (1, False)
    assert f"delete {written} and run again" in ended.printed
    assert not output.exists()


# Variants.

NOT_NORMALISED = {"studies": {"mnist": {"training": {"normalise": False}}}}


def with_variant(overlay, **experiment):
    config = copy.deepcopy(PAPER)
    config["variants"] = {"changed": overlay}
    config["studies"]["mnist"]["experiments"]["sensitivity"] |= {"seeds": 3} | experiment
    return config


def test_a_variant_is_the_config_with_its_overlay_and_its_experiments_runs_alone():
    config = with_variant(NOT_NORMALISED)
    varied = variant_config("changed", config)
    assert varied["studies"]["mnist"]["training"] == {
        **PAPER["studies"]["mnist"]["training"],
        "normalise": False,
    }
    assert {(run.method, run.p) for run in runs_of("all", varied)} == {
        ("low-loss", "0.6"),
        ("full", "1.0"),
    }
    assert {run.seed for run in runs_of("all", varied)} == {0, 1, 2}


def test_a_variant_leaves_the_config_as_it_is():
    config = with_variant(NOT_NORMALISED)
    before = copy.deepcopy(config)
    variant_config("changed", config)
    assert config == before
    assert run_blocks(config) == run_blocks(config | {"variants": {}})


def test_a_variant_trains_the_same_runs_but_for_its_switch():
    config = with_variant(NOT_NORMALISED)
    run = Run("mnist", "low-loss", "0.6", 1, 0)
    ours, varied = (
        training_spec(run, each) for each in (config, variant_config("changed", config))
    )
    assert dataclasses.replace(varied, normalise=True) == ours


def test_the_starts_of_a_variant_measure_what_its_runs_prune_by_alone():
    varied = variant_config("changed", with_variant(NOT_NORMALISED))
    spec = start_spec(Start("mnist", 1, 0), varied)
    assert (spec.losses, spec.distances, spec.deepfool) == (["in_pass"], [], None)


@pytest.mark.parametrize(
    ("overlay", "told"),
    [
        ({"scale": "other"}, "variants.changed has scale, but must be an overlay of paired_seeds"),
        ({"variants": {}}, "variants.changed has variants, but must be"),
        (3, "variants.changed has 3, but must be"),
        ({"studies": {"mnist": {"training": {"normalize": False}}}}, "did you mean 'normalise'?"),
        ({"early_stopping": {"steps": 0}}, "early_stopping.steps is 0"),
        ({1: 2, "a": 3}, "variants.changed has 1, but must be an overlay of"),
        ({"pruning": None}, "config: pruning is None"),
        ({"studies": ["mnist"]}, "config: studies is ['mnist']"),
        ({"studies": {"mnist": None}}, "config: studies.mnist is None"),
        (
            {"studies": {"mnist": {"experiments": {"sensitivity": None}}}},
            "config: studies.mnist.experiments.sensitivity is None",
        ),
        ({"studies": {"mnist": {"scores": None}}}, "config: studies.mnist.scores is None"),
        (
            {"studies": {"mnist": {"dataset": "fashion_mnist"}}},
            "sets studies.mnist.dataset to 'fashion_mnist', but must leave it 'mnist'",
        ),
    ],
)
def test_a_wrong_variant_is_refused_by_name(overlay, told):
    message = refusal(with_variant(overlay))
    assert told in message
    assert "variants.changed" in message


@pytest.mark.parametrize("names", [["../x"], [100], [100, "abc"], [None], [True, "a"]])
def test_a_variants_name_must_be_text_that_stands_in_paths(names):
    config = copy.deepcopy(PAPER) | {"variants": {name: {} for name in names}}
    with pytest.raises(UserError, match=rf"variants is {names[0]!r}, but .* lower-case letters"):
        whole(config)
