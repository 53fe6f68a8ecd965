"""Settings of a training, its result, and what goes on from one to the next."""

from dataclasses import MISSING, dataclass, fields, replace

import numpy as np

from skae._training.selection import Judged
from skae._utils.stages import NO_STAGE, NullStage
from skae._utils.warnings import warn

# Rows that are held out at the least, unless they are more than a fifth.
_FEWEST_HELD_OUT = 100
# Rows that judge a training, for which folds of few rows are held out in turn.
_JUDGED, _MOST_FOLDS = 200, 5


# Beyond so many rows, passes become fewer by this power of their number: steps go on
# growing. So many passes are the fewest.
_NOT_MANY, _FEWER, _FEWEST_PASSES = 15_000, 0.4, 3
# The learning rate, and features beyond which it falls: each adds to a step of a code.
_RATE, _NOT_WIDE = 2e-2, 64


@dataclass(frozen=True)
class Settings:
    """How to train: an estimator's parameters, and what kind of fit it is.

    Attributes
    ----------
    n_components : int or float
    init : {"random", "pca", "layerwise"}
    learning_rate : float or "auto"
    weight_decay : float
    batch_size : int or "auto"
    max_iter : int or "auto"
        Epochs.
    early_stopping : bool
    validation_fraction : float or "auto"
    n_iter_no_change : int
    tol : float
    callbacks : list of skorch callbacks or None
    device : str
    random_state : int, RandomState instance or None
    verbose : int
    is_incremental : bool
        One epoch on all rows at a constant learning rate, instead of a whole training.
    most_threads : int
        Threads that steps may take.
    n_passes : int
        Epochs over rows that are not many, for "auto".
    planned_iter : int or None
        Epochs that the learning rate is planned for, if not `max_iter`.
    stage : NullStage
        Of which trainings are stages, and their epochs stages of these.
    """

    n_components: int | float
    init: str
    learning_rate: float | str
    weight_decay: float
    batch_size: int | str
    max_iter: int | str
    early_stopping: bool
    validation_fraction: float | str
    n_iter_no_change: int
    tol: float
    callbacks: list | None
    device: str
    random_state: object
    verbose: int
    is_incremental: bool = False
    most_threads: int = 1
    n_passes: int = 30
    planned_iter: int | None = None
    stage: NullStage = NO_STAGE

    @classmethod
    def parameters(cls):
        """Names of those that are an estimator's parameters."""
        return [field.name for field in fields(cls) if field.default is MISSING]

    @property
    def n_epochs(self):
        """Epochs that the learning rate is planned for."""
        if self.is_incremental:
            return 1
        return self.max_iter if self.planned_iter is None else self.planned_iter

    @property
    def last_epoch(self):
        """After which to stop."""
        return min(self.max_iter, self.n_epochs)

    @property
    def smaller_rate(self):
        """What to do about a training that diverges, in words."""
        return (
            f"with learning_rate={self.learning_rate:g}. Use a smaller one, such as "
            f"learning_rate={self.learning_rate / 10:g}."
        )

    def for_rows(self, n_samples, n_features):
        """These settings, with numbers for rows of so many features."""
        rate, epochs = self.learning_rate, self.max_iter
        if rate == "auto":
            rate = _RATE * min(1.0, (_NOT_WIDE / n_features) ** 0.5)
        if epochs == "auto":
            share = min(1.0, (_NOT_MANY / n_samples) ** _FEWER)
            epochs = max(_FEWEST_PASSES, round(share * self.n_passes))
        if self.planned_iter is not None and epochs > self.planned_iter:
            raise ValueError(
                f"max_iter={epochs} is more than the {self.planned_iter} epochs that "
                "checkpoint= plans for: use Checkpoints(folder, max_iter="
                f"{epochs})."
            )
        return replace(self, learning_rate=rate, max_iter=epochs)

    def n_held_out(self, n_samples):
        """How many rows are held out to choose the best epoch on."""
        if self.is_incremental or not self.early_stopping:
            return 0
        fraction = self.validation_fraction
        if fraction == "auto":
            # Few rows don't tell a gain from chance; too many are missed in training.
            wanted = max(_FEWEST_HELD_OUT, min(n_samples / 10, 4 * n_samples**0.5))
            fraction = min(wanted / n_samples, 0.2)
        return min(max(1, round(fraction * n_samples)), n_samples - 1)

    def warn_of_few(self, n_samples):
        """Warn where more rows are held out than are left."""
        n_trained = n_samples - self.n_held_out(n_samples)
        if n_trained < n_samples - n_trained:
            warn(
                f"validation_fraction={self.validation_fraction} leaves {n_trained} of "
                f"{n_samples} rows to train on: use a smaller one."
            )

    def n_folds(self, n_samples, hides=False):
        """In how many folds rows are held out in turn; 1 where those of one are enough.

        The user's callbacks watch a single training. Where training hides cells, a few
        rows judge many times.
        """
        n_held_out = self.n_held_out(n_samples)
        is_single = self.validation_fraction != "auto" or self.callbacks or hides
        if not n_held_out or is_single:
            return 1
        wanted = min(_JUDGED // n_held_out, n_samples // n_held_out, _MOST_FOLDS)
        return max(1, wanted)

    def n_batches(self, n_rows):
        """How many batches there are in an epoch."""
        return max(1, round(n_rows / self.batch_size_for(n_rows)))

    def batch_size_for(self, n_rows):
        """How many rows a batch has.

        "auto" is the power of two nearest to 3 * sqrt(n_rows), or less: larger batches
        take about as long for each row, and there are fewer steps.
        """
        if self.batch_size != "auto":
            return self.batch_size
        return int(np.clip(2 ** round(np.log2(3 * n_rows**0.5)), 32, 512))


@dataclass(frozen=True)
class Run:
    """What one training of several is to do; a single one has all of its epochs.

    Attributes
    ----------
    last_epoch : int or None
        After which to stop, before those that the learning rate is planned for.
    stops : bool
        Whether to stop where nothing gets better. Trainings that stop at other epochs
        could not be compared.
    title : str
        What is trained.
    """

    last_epoch: int | None = None
    stops: bool = True
    title: str = ""


# A single training.
WHOLE = Run()


@dataclass(frozen=True)
class Result:
    """What training gives back, as arrays and plain values.

    Attributes
    ----------
    weights : dict of str to ndarray
        Of the best epoch.
    optimizer_state : dict of int to dict of str to ndarray
        After the last step.
    n_iter, best_iter : int
        Epochs run, and the best of them; 0 is the start.
    history : list of dict
        What was recorded in each epoch: plain values, losses in the units of the data.
    interrupted : bool
    judged : Judged or None
        What held-out rows lost; None without such rows.
    """

    weights: dict
    optimizer_state: dict
    n_iter: int
    best_iter: int
    history: list
    interrupted: bool
    judged: Judged | None = None
