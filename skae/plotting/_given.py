"""What displays are made from: fitted estimators, and rows on their way to them."""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skae._sources.door import refuse_sources
from skae._tables.frames import library_of
from skae._tables.rows import sampled, taken
from skae._utils.loss_names import loss_of
from skae._utils.sparse import dense
from skae._utils.validation import without_torch


class Fitted(NamedTuple):
    """An estimator, and the steps of the Pipeline before it.

    Attributes
    ----------
    steps : list of transformers
    last : estimator
        Of an AutoencoderImputer, its autoencoder.
    """

    steps: list
    last: Any

    @classmethod
    def of(cls, estimator, display, needs, advice):
        """The parts of an estimator that is what a display needs.

        Parameters
        ----------
        estimator : estimator or Pipeline
        display : type
            In messages.
        needs : list of str
            Attributes or methods of what is fitted.
        advice : str
            What to pass instead.

        Raises
        ------
        NotFittedError
        TypeError
            If the estimator has not what is needed.
        """
        steps, last = steps_of(estimator)
        name = type(last).__name__
        if not hasattr(last, "fit") and not hasattr(last, "transform"):
            raise TypeError(
                f"{display.__name__} was given {estimator!r}, but {advice} was "
                "expected."
            )
        check_is_fitted(last)
        last = getattr(last, "autoencoder_", last)
        missing = [need for need in needs if not hasattr(last, need)]
        if missing:
            raise TypeError(
                f"{display.__name__} needs {', '.join(missing)}, which {name} has not: "
                f"pass {advice}, or a Pipeline that ends in one."
            )
        return cls(steps, last)

    @property
    def is_undone(self):
        """Whether rows can go back through the steps."""
        return all(hasattr(step, "inverse_transform") for step in self.steps)

    def through(self, X):
        """Rows as the estimator reads them."""
        for step in self.steps:
            X = step.transform(X)
        return X

    def back(self, X):
        """Rows of the estimator in the units that the first step reads."""
        for step in reversed(self.steps):
            X = step.inverse_transform(X)
        return X


def steps_of(estimator):
    """The steps of Pipelines, also of those within them, and the last one."""
    if not isinstance(estimator, Pipeline):
        return [], estimator
    *first, last = [step for _, step in estimator.steps]
    steps = [step for step in first if step not in (None, "passthrough")]
    inner, last = steps_of(last)
    return [*steps, *inner], last


def in_memory(X, display, steps=()):
    """X as it came, if its rows are in memory; of tensors an array.

    Names of files are text, as rows are that go through steps before.
    """
    is_listed = isinstance(X, list | tuple)
    if steps and is_listed and all(isinstance(row, str) for row in X):
        return np.array(X, object)
    refuse_sources(X, f"{display.__name__}.from_estimator", "pass a sample of the rows")
    return without_torch(X)


def n_rows_of(X):
    """How many rows X has."""
    return X.shape[0] if hasattr(X, "shape") else len(X)


def sample(X, most):
    """At most so many rows of X, random ones but always the same, in order."""
    return taken(X, sampled(n_rows_of(X), most))


def refuse_images(estimator, image_shape):
    """Raise TypeError for images of an estimator whose rows are of a table."""
    if image_shape is not None and of_table(estimator):
        raise TypeError(
            f"image_shape={image_shape!r}, but the estimator was fitted to a table "
            "with categories or dates, whose rows are no images: leave it out."
        )


def numbers(X):
    """Codes or rows of numbers as an array, whatever holds them; NaN is missing."""
    if library_of(X) == "pandas":
        return X.to_numpy(np.float64, na_value=np.nan)
    return np.asarray(dense(X), dtype=np.float64)


def images(X, image_shape):
    """Rows (n, n_features) as images (n, height, width) or with channels.

    Raises
    ------
    ValueError
        If they are no images of this shape.
    """
    X = numbers(X)
    shape = tuple(np.atleast_1d(image_shape).tolist())
    if len(shape) not in (2, 3) or np.prod(shape) != X.shape[1]:
        raise ValueError(
            f"image_shape={image_shape!r}, but X has {X.shape[1]} features: (height, "
            "width) or (height, width, channels) was expected, whose product is that."
        )
    if len(shape) == 3 and shape[2] not in (1, 3, 4):
        raise ValueError(
            f"image_shape={image_shape!r} has {shape[2]} channels, but 1, 3 or 4 were "
            "expected: reshape X to one image per channel."
        )
    return (
        X.reshape(len(X), *shape).squeeze(-1)
        if shape[2:] == (1,)
        else X.reshape(len(X), *shape)
    )


def of_table(estimator):
    """Whether a table with categories or dates was fitted."""
    return getattr(estimator, "_columns", None) is not None


_SQUARED = {0: "nats per feature", 1: "{}", 2: "squared {}"}


def unit_of(steps):
    """The units of rows that have gone through some steps, in words."""
    return "units after preprocessing" if steps else "units of the data"


def loss_label(estimator, steps=()):
    """The loss of an estimator in words, with its units.

    Parameters
    ----------
    estimator : estimator
    steps : list of transformers, default=()
        What rows go through before.
    """
    if of_table(estimator):
        return "loss (share of the columns' own uncertainty)"
    name, degree = loss_of(estimator)
    unit = _SQUARED.get(degree)
    return name if unit is None else f"{name} ({unit.format(unit_of(steps))})"


def check_count(name, value):
    """Raise ValueError for what is no whole number of at least 1."""
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(
            f"{name}={value!r}, but a whole number of at least 1 was expected."
        )


def score_label(detector):
    """What a detector's scores are, with their units, if they have some."""
    detector = getattr(detector, "detector_", detector)
    units = {
        "combined": " (nats of surprisal)",
        "neighbors": " (mean distance)",
        "error": " (squared usual errors)",
    }
    if of_table(detector):
        units["error"] = " (share of the columns' own uncertainty)"
    unit = units.get(getattr(detector, "method", None), "")
    return f"anomaly score{unit}"
