"""A loader of one's own: what it returns is stored as it should be, or refused in words."""

import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file
from workflow_tools import PROJECT, copy_project

from advprune.data import loading
from advprune.data.loading import load_arrays
from advprune.errors import UserError
from advprune.spec.datasets import DATASETS, Dataset

GENERATOR = np.random.default_rng(0)
# Of 2 channels and 5 classes: images whose channels differ in brightness.
ARRAYS = {
    f"{part}_{kind}": values
    for part, count in (("train", 300), ("test", 60))
    for kind, values in {
        "images": np.stack(
            [GENERATOR.integers(0, 256, (count, 6, 6)), GENERATOR.integers(0, 128, (count, 6, 6))],
            axis=1,
        ).astype(np.uint8),
        "labels": (np.arange(count) % 5).astype(np.int64),
    }.items()
}
ENTRY = Dataset(
    "Patches",
    (2, 6, 6),
    5,
    (300, 60),
    (0.5, 0.249),
    (0.29, 0.145),
    None,
    "advprune.data.loading:patches",
)


@pytest.fixture
def load(monkeypatch):
    """Loads what a loader of one's own returns."""

    def load(returned, entry=ENTRY):
        monkeypatch.setitem(DATASETS, "patches", entry)
        monkeypatch.setattr(loading, "patches", lambda root: returned, raising=False)
        return load_arrays("patches", None)

    return load


def test_what_fits_is_taken_with_labels_of_any_whole_type(load):
    found = load(ARRAYS)
    np.testing.assert_equal(found, ARRAYS)
    assert {values.dtype for values in found.values()} == {np.dtype(np.uint8)}


def test_a_view_is_laid_out_in_memory_as_it_is_read(load):
    views = {name: np.asfortranarray(values)[::-1] for name, values in ARRAYS.items()}
    found = load(views)
    np.testing.assert_equal(found, views)
    assert all(values.flags.c_contiguous for values in found.values())


def changed(name, change):
    return {**ARRAYS, name: change(ARRAYS[name])}


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        pytest.param(None, "returned NoneType, but must return a dictionary", id="nothing"),
        pytest.param(tuple(ARRAYS.values()), "returned tuple", id="a tuple"),
        pytest.param(
            {key: ARRAYS[key] for key in list(ARRAYS)[:3]}, "returned no test_labels", id="a part"
        ),
        pytest.param(changed("test_labels", np.ndarray.tolist), "test_labels as list", id="a list"),
        pytest.param(
            changed("train_images", lambda a: a / 255),
            "train_images of type float64, but they must be uint8",
            id="floats in [0, 1]",
        ),
        pytest.param(
            changed("test_images", lambda a: a.astype(np.float32)),
            "test_images of type float32",
            id="floats to 255, to test on",
        ),
        pytest.param(
            changed("train_images", lambda a: (a > 127).astype(np.uint8)),
            "train_images whose largest value is 1, but white must be 255",
            id="floats that were cut off",
        ),
        pytest.param(
            changed("train_images", lambda a: a // 16),
            "whose mean in channel 0 is 0.0",
            id="values on another scale",
        ),
        pytest.param(
            changed("train_images", lambda a: a[:, ::-1]),
            "whose mean in channel 0 is 0.24",
            id="channels in another order",
        ),
        pytest.param(
            changed("train_images", lambda a: a.transpose(0, 2, 3, 1)),
            r"train_images of shape \(300, 6, 6, 2\).*say \(300, 2, 6, 6\)",
            id="channels last",
        ),
        pytest.param(
            changed("train_images", lambda a: a[:299]),
            r"train_images of shape \(299, 2, 6, 6\)",
            id="an image too few",
        ),
        pytest.param(
            changed("test_labels", lambda a: a[:59]),
            r"test_labels of shape \(59,\), where the entry's examples say \(60,\)",
            id="a label too few",
        ),
        pytest.param(
            changed("train_labels", lambda a: np.eye(5)[a]),
            r"train_labels of shape \(300, 5\)",
            id="a column a class",
        ),
        pytest.param(
            changed("train_labels", lambda a: a.astype(float)), "type float64", id="float labels"
        ),
        pytest.param(
            changed("test_labels", lambda a: a + 1),
            "test_labels from 1 to 5, but those of the entry's 5 classes are 0 to 4",
            id="labels from 1",
        ),
        pytest.param(
            changed("train_labels", lambda a: a - 1), "train_labels from -1 to 3", id="labels below"
        ),
    ],
)
def test_what_does_not_fit_is_named_with_what_to_mend(load, returned, told):
    with pytest.raises(
        UserError, match=rf"loading:patches returned .*{told.removeprefix('returned ')}.*: mend"
    ):
        load(returned)


@pytest.mark.parametrize(
    "code", ["advprune.data.pathces:patches", "advprune.data.loading:pathces", "patches"]
)
def test_a_loader_that_is_not_there_is_named(load, code):
    entry = Dataset(**{**vars(ENTRY), "load": code})
    with pytest.raises(UserError, match=rf"{code} cannot be imported .*'patches' in workflow"):
        load(ARRAYS, entry)


def test_an_entry_that_contradicts_itself_is_refused_before_its_loader_is_called(load):
    with pytest.raises(UserError, match=r"the entry 'patches' in .* is wrong: mean"):
        load(ARRAYS, Dataset(**{**vars(ENTRY), "mean": (0.5,)}))


@pytest.mark.parametrize(
    ("images", "status", "told"),
    [
        pytest.param("images.transpose(0, 1, 3, 2)", 0, "", id="a view"),
        pytest.param("images / 255", 1, "error: advprune.data.own:own returned", id="floats"),
    ],
)
def test_the_program_stores_a_loaders_arrays_or_says_what_is_wrong(tmp_path, images, status, told):
    library = copy_project(tmp_path / "project") / "workflow/scripts/advprune"
    (library / "data/own.py").write_text(
        "import numpy as np\n\n\ndef own(root):\n"
        "    images = np.arange(8 * 64).reshape(8, 1, 8, 8).astype(np.uint8)\n"
        "    labels = np.arange(8) % 4\n"
        f"    arrays = {{'train_images': {images}, 'train_labels': labels}}\n"
        f"    return arrays | {{'test_images': {images}, 'test_labels': labels}}\n"
    )
    with open(library / "spec/datasets.py", "a") as file:
        file.write(
            "DATASETS['own'] = Dataset('Own', (1, 8, 8), 4, (8, 8), (0.5,), (0.29,), None,"
            " 'advprune.data.own:own')\n"
        )
    ended = subprocess.run(
        [sys.executable, library.parent / "dataset.py", "own", "--output", tmp_path / "own"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == status, ended.stderr
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    if status == 0:
        turned = np.arange(8 * 64).reshape(8, 1, 8, 8).astype(np.uint8).transpose(0, 1, 3, 2)
        np.testing.assert_equal(load_file(tmp_path / "own")["train_images"], turned)
