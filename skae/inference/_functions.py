"""Losses and code maps as functions of columns, in numpy."""

from math import log

import numpy as np

from skae._utils.layout import LEAST_ENTROPY


class Loss:
    """Base of losses: one number per cell, and how raw output becomes data.

    Attributes
    ----------
    degree : int
        Multiplying the data by c > 0 multiplies the loss by ``c ** degree``.
    bounds : tuple of two floats or None
        The range that X must lie in.
    name : str
        What the parameter `loss` is for it; only with bounds.
    """

    degree = 0
    name = ""
    bounds: tuple[float, float] | None = None

    def cells(self, output, target):
        """Loss (d, n) of raw output and its target (d, n)."""
        raise NotImplementedError

    def target(self, rows, shift, scale):
        """What raw output is compared with, from standardised rows (n, d)."""
        return rows

    def to_data(self, output, shift, scale):
        """Raw output (n, d), of double precision, in the units of the data."""
        output *= scale
        output += shift
        return output

    def check(self, X):
        """Raise for values outside of the range that the loss needs."""
        if self.bounds is None:
            return
        low, high = self.bounds
        ends = np.fmin.reduce(X, axis=None), np.fmax.reduce(X, axis=None)
        smallest, largest = map(float, ends)  # of what is not missing
        # Scaling to the bounds may pass them by rounding.
        if smallest < low - 1e-6 or largest > high + 1e-6:
            wrong = f"up to {largest!r}" if largest > high else f"down to {smallest!r}"
            raise ValueError(
                f"X has values {wrong}, but loss={self.name!r} needs X in "
                f"[{low:g}, {high:g}]: divide by the maximum or use "
                "MinMaxScaler(clip=True)."
            )


class SquaredError(Loss):
    """As :class:`skae.losses.SquaredError`, and so on."""

    degree = 2

    def cells(self, output, target):
        return np.square(output - target)


class AbsoluteError(Loss):
    degree = 1

    def cells(self, output, target):
        return np.abs(output - target)


class Huber(Loss):
    degree = 2

    def __init__(self, delta):
        self.delta = np.float32(delta)

    def cells(self, output, target):
        error = np.abs(output - target)
        small = np.minimum(error, self.delta)
        return small * (error - np.float32(0.5) * small)


class LogLoss(Loss):
    name = "log_loss"
    bounds = (0.0, 1.0)

    def cells(self, output, target):
        positive = np.maximum(output, np.float32(0))
        return positive - output * target + np.log1p(np.exp(-np.abs(output)))

    def target(self, rows, shift, scale):
        data = rows * np.float32(scale) + shift.astype(np.float32)
        return np.clip(data, *map(np.float32, self.bounds))

    def to_data(self, output, shift, scale):
        return 1 / (1 + np.exp(-output))


class TableLoss(Loss):
    """As :class:`skae.losses._table.TableLoss`, one number per column."""

    def __init__(self, numbers, layout):
        self.numbers = numbers
        self.n_numbers = layout.n_numbers
        self.places = layout.places
        self.starts = layout.starts - layout.n_numbers
        self.widths, self.factors = layout.widths, layout.factors
        self.entropies = np.maximum(layout.entropies, LEAST_ENTROPY)

    def cells(self, output, target):
        of_numbers = self.numbers.cells(
            output[: self.n_numbers], target[: self.n_numbers]
        )
        if not len(self.widths):
            return of_numbers[self.places]
        logits, dummies = output[self.n_numbers :], target[self.n_numbers :]
        highest, spread = self._exponentials(logits)
        chosen = np.add.reduceat(logits * dummies, self.starts)
        entropies = self.entropies.astype(np.float32)[:, None]
        of_categories = (highest + np.log(spread) - chosen) / entropies
        return np.concatenate([of_numbers, of_categories])[self.places]

    def target(self, rows, shift, scale):
        numbers, dummies = np.split(rows, [self.n_numbers], axis=1)
        shift = shift[self.n_numbers :].astype(np.float32)
        factors = self.factors.repeat(self.widths).astype(np.float32)
        dummies = (dummies * np.float32(scale) + shift) / factors
        return np.concatenate([numbers, dummies], axis=1)

    def to_data(self, output, shift, scale):
        numbers, logits = np.split(output, [self.n_numbers], axis=1)
        numbers *= scale
        numbers += shift[: self.n_numbers]
        if len(self.widths):
            highest, spread = self._exponentials(logits.T)
            logits -= highest.repeat(self.widths, axis=0).T
            np.exp(logits, logits)
            logits /= spread.repeat(self.widths, axis=0).T
            logits *= self.factors.repeat(self.widths)
        return output

    def _exponentials(self, logits):
        """Of each block of logits (d, n) the highest, and the sum (n_blocks, n) of
        exponentials of what they are below it.
        """
        highest = np.maximum.reduceat(logits, self.starts)
        below = np.exp(logits - highest.repeat(self.widths, axis=0))
        return highest, np.add.reduceat(below, self.starts)


def top_k(k, is_positive):
    """Keeps the k components largest in magnitude, or those largest that are positive.

    Any of those that are equal.
    """

    def kept(code):
        sizes = np.maximum(code, 0, out=code) if is_positive else np.abs(code)
        if k == len(code):
            return code
        lost = np.argpartition(sizes, -k, axis=0)[:-k]
        np.put_along_axis(code, lost, np.float32(0), axis=0)
        return code

    return kept


def soft_threshold(threshold):
    """Moves components towards zero by a threshold, where they stop."""
    high = np.float32(threshold)
    return lambda code: code - np.clip(code, -high, high)


def logistic(start):
    """The logistic function, moved to be `start` at zero."""
    offset, half = np.float32(log(start / (1 - start))), np.float32(0.5)
    return lambda code: half * np.tanh(half * (code + offset)) + half
