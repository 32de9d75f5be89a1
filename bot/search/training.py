"""Learning the weights: softmax regression with a margin, by gradient descent on sparse rows, in numpy.

The margin asks the right article to lead by a distance; it is worth as much as a second model of another make (see
docs/search.md).
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bot.search.features import Floats, Ints, Rows

_EPOCHS, _FEWEST_STEPS, _RATE, _BIAS_RATE, _BATCH, _SEED = 3, 320, 60.0, 0.1, 16, 20261006
_MARGIN = 3.0
_MANY_CLASSES, _SLIGHT = 400, 1e-3


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


class Batch:
    """A few rows as a small dense matrix over the columns that occur in them."""

    def __init__(self, rows: Rows, start: int, end: int) -> None:
        first, last = rows.starts[start], rows.starts[end]
        self.columns, self._places = np.unique(rows.columns[first:last], return_inverse=True)
        self._values = rows.values[first:last]
        self._owners = np.repeat(np.arange(end - start), np.diff(rows.starts[start : end + 1]))
        self.size = end - start

    def dense(self) -> Floats:
        """Return the rows over `columns`."""
        width = len(self.columns)  # words of one row may share a column: their values add up
        sums = np.bincount(self._owners * width + self._places, self._values, self.size * width)
        return sums.astype(np.float32).reshape(self.size, width)


def softmax_regression(rows: Rows, labels: Ints, members: Ints, dimensions: int, classes: int) -> tuple[Floats, Floats]:
    """Return weights and bias that tell the members' labels apart; rows have length one, hence the large rate."""
    draw = np.random.Generator(np.random.PCG64(_SEED))
    order = draw.permutation(members)
    rows, labels = rows.take(order), labels[order]
    starts = list(range(0, len(order), _BATCH))
    batches = [Batch(rows, start, min(start + _BATCH, len(order))) for start in starts]
    epochs = max(_EPOCHS, -(-_FEWEST_STEPS // len(batches)))  # a small collection is gone through more often
    weights = np.zeros((dimensions, classes), np.float32)
    bias = np.zeros(classes, np.float32)
    steps, step = epochs * len(batches), 0
    for _ in range(epochs):
        for number in draw.permutation(len(batches)).tolist():
            batch, start = batches[number], starts[number]
            rate = np.float32(_RATE * (1 - step / steps) / batch.size)
            _descend(weights, bias, batch, labels[start : start + batch.size], rate)
            step += 1
    return weights, bias


def _descend(weights: Floats, bias: Floats, batch: Batch, labels: Ints, rate: np.float32) -> None:
    """Change weights and bias by one step."""
    given = batch.dense()
    known = weights[batch.columns]
    error = given @ known
    error += bias
    own = np.arange(batch.size), labels
    error[own] -= np.float32(_MARGIN)
    error -= error.max(axis=1, keepdims=True)
    np.exp(error, out=error)
    error /= error.sum(axis=1, keepdims=True)
    error[own] -= 1
    error *= -rate
    bias += np.float32(_BIAS_RATE) * error.sum(axis=0)
    if len(bias) < _MANY_CLASSES:
        known += given.T @ error
        weights[batch.columns] = known
    else:  # most classes are far from every row of the batch
        touched = np.flatnonzero(np.abs(error).max(axis=0) > _SLIGHT * rate)
        weights[np.ix_(batch.columns, touched)] += given.T @ error[:, touched]


def scores(rows: Rows, weights: Floats, bias: Floats) -> Floats:
    """Return what every class scores for every row."""
    result = np.empty((len(rows), len(bias)), np.float32)
    for start in range(0, len(rows), _BATCH):
        batch = Batch(rows, start, min(start + _BATCH, len(rows)))
        result[start : start + batch.size] = batch.dense() @ weights[batch.columns] + bias
    return result


def folds(labels: Ints, count: int) -> npt.NDArray[np.int64]:
    """Return a fold for each row, each label spread evenly over all of them."""
    draw = np.random.Generator(np.random.PCG64(_SEED + 1))
    result = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        result[draw.permutation(members)] = np.arange(len(members)) % count
    return result
