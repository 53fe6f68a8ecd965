"""Checkpoints of many fits."""

from dataclasses import dataclass
from numbers import Integral
from os import PathLike

from skae._utils.stored import stored


@stored(has_parameters=True)
@dataclass(frozen=True)
class Checkpoints:
    """A folder with a checkpoint for each fit, as searches make many of them.

    The files are named after the parameters and the rows of their fits, and stay there
    when these have ended. So a search that was killed goes on when it is run again, and
    what had ended is not trained anew; several processes can share the folder. It is
    yours to delete.

    Parameters
    ----------
    folder : str or PathLike
        Made if it is not there.
    max_iter : int, default=None
        Epochs that learning rates are planned for, where fits of fewer epochs are to
        be gone on with: a fit of a larger `max_iter` then starts where a fit of a
        smaller one with the same parameters and rows has ended. So successive halving,
        whose resource is `max_iter`, trains no epoch twice [1]_. None is the
        `max_iter` of each fit.

    References
    ----------
    .. [1] Jamieson, K., Talwalkar, A. (2016). Non-stochastic best arm identification
       and hyperparameter optimization. AISTATS.
       https://proceedings.mlr.press/v51/jamieson16.html

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer
    >>> from skae.checkpoints import Checkpoints
    >>> X = load_digits().data
    >>> checkpoint = Checkpoints(tempfile.mkdtemp(), max_iter=8)
    >>> model = AutoencoderTransformer(
    ...     8, max_iter=2, checkpoint=checkpoint, random_state=0
    ... ).fit(X)
    >>> model.n_iter_
    2
    >>> model.set_params(max_iter=4).fit(X).n_iter_  # two more
    4
    """

    folder: str | PathLike
    max_iter: int | None = None

    def __post_init__(self):
        if not isinstance(self.folder, str | PathLike):
            raise TypeError(
                f"folder={self.folder!r} is a {type(self.folder).__name__}, but a path "
                "was expected."
            )
        if self.max_iter is None:
            return
        if not isinstance(self.max_iter, Integral) or isinstance(self.max_iter, bool):
            raise TypeError(
                f"max_iter={self.max_iter!r}, but an integer or None was expected."
            )
        if self.max_iter < 1:
            raise ValueError(f"max_iter={self.max_iter}, but at least 1 was expected.")
