"""Learning the weights: softmax regression by gradient descent, in numpy.

Plain least squares has a closed form, but on these questions it ranks clearly worse (see docs/search.md).
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bot.search.features import Floats, Ints

_EPOCHS, _FEWEST_STEPS, _RATE, _BATCH, _SEED = 8, 160, 320.0, 64, 20261006


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep numpy's OpenBLAS to one thread meanwhile, where it can be found; without it this changes nothing.

    Its threads wait for each other by spinning: beside other busy processes a build of 5 s took 60 s. The trainings
    run beside each other in threads of our own instead.
    """
    library = _openblas()
    if library is None:
        yield
        return
    before = library[0]()
    library[1](1)
    try:
        yield
    finally:
        library[1](before)


def _openblas() -> tuple[ctypes._NamedFuncPointer, ctypes._NamedFuncPointer] | None:
    package = Path(np.__file__).parent
    for folder in (package.with_name("numpy.libs"), package / ".dylibs"):
        for path in sorted(folder.glob("*openblas*")):
            try:
                library = ctypes.CDLL(str(path))
            except OSError:
                continue
            for prefix, suffix in (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", "")):
                getter = getattr(library, f"{prefix}openblas_get_num_threads{suffix}", None)
                setter = getattr(library, f"{prefix}openblas_set_num_threads{suffix}", None)
                if getter is not None and setter is not None:
                    return getter, setter
    return None


def softmax_regression(rows: Floats, labels: Ints, members: Ints, classes: int) -> tuple[Floats, Floats]:
    """Weights and bias that tell the members' labels apart; rows have length one, hence the large rate."""
    draw = np.random.Generator(np.random.PCG64(_SEED))
    count, dimensions = len(members), rows.shape[1]
    weights = np.zeros((dimensions, classes), np.float32)
    bias = np.zeros(classes, np.float32)
    in_epoch = max(1, -(-count // _BATCH))
    epochs = max(_EPOCHS, -(-_FEWEST_STEPS // in_epoch))  # a small collection is gone through more often
    steps = epochs * in_epoch
    step = 0
    for _ in range(epochs):
        order = draw.permutation(members)
        for start in range(0, count, _BATCH):
            chosen = order[start : start + _BATCH]
            given = rows[chosen]
            error = given @ weights
            error += bias
            error -= error.max(axis=1, keepdims=True)
            np.exp(error, out=error)
            error /= error.sum(axis=1, keepdims=True)
            error[np.arange(len(chosen)), labels[chosen]] -= 1
            error *= np.float32(-_RATE * (1 - step / steps) / len(chosen))
            step += 1
            weights += given.T @ error
            bias += np.float32(0.1) * error.sum(axis=0)
    return weights, bias


def folds(labels: Ints, count: int) -> Ints:
    """A fold for each row, each label spread evenly over all of them."""
    draw = np.random.Generator(np.random.PCG64(_SEED + 1))
    result = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        result[draw.permutation(members)] = np.arange(len(members)) % count
    return result
