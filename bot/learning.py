"""Learning the weights: softmax regression by gradient descent, in numpy.

Plain least squares has a closed form, but on these questions it ranks clearly worse (see docs/search.md).
"""

from __future__ import annotations

import numpy as np

from bot.features import Floats, Ints

_EPOCHS, _FEWEST_STEPS, _RATE, _BATCH, _SEED = 8, 160, 320.0, 64, 20261006


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
