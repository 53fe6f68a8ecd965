"""What all autoencoder transformers share: scikit-learn's semantics, once."""

from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted
from torch import nn

from skae._cluster.door import client_for
from skae._estimators.coding import Decoding, Encoding, check_of_rows
from skae._estimators.halves import Decoder, Encoder
from skae._estimators.imputing import Imputing
from skae._estimators.on_workers import fit_on_workers
from skae._estimators.parameters import AutoencoderParameters
from skae._estimators.rows import check_is_there
from skae._files.saving import Saving
from skae._inference.loaded import checked
from skae._inference.model import Model, mean_of_known
from skae._onnx.modules import Part, Reconstruct, Score
from skae._sources.by_blocks import by_blocks
from skae._training.fit import fit
from skae._training.loop import fitted_net
from skae._training.objective import Objective
from skae._utils.checks import (
    OF_ROWS,
    count,
    instance,
    list_of,
    not_required,
    number,
    optional,
)
from skae._utils.compat import fit_context
from skae._utils.device import inference_device
from skae._utils.group import current_group
from skae._utils.ranges import check_distance
from skae._utils.stored import stored_base
from skae._utils.torch_state import undisturbed
from skae._utils.twin import all_or_nothing
from skae._utils.typing import Rows
from skae._utils.warnings import warn
from skae.checkpoints._journal import journal_of
from skae.losses._losses import check_bounds
from skae.reports._reporting import Reporting

if TYPE_CHECKING:
    from typing import Self

    from skae._training.net import AutoencoderNet


def _is_epoch(row):
    """Whether a value is what is recorded in an epoch."""
    if not isinstance(row, dict) or "train_loss" not in row:
        return False
    losses = row["train_loss"], row.get("valid_loss", 0.0)
    return all(isinstance(loss, float) for loss in losses)


@stored_base(
    _model=instance(Model),
    _history=list_of(_is_epoch),
    n_components_=count,
    n_iter_=count,
    best_iter_=not_required(count),
    loss_curve_=list_of(instance(float)),
    validation_loss_curve_=optional(list_of(instance(float))),
    pca_loss_=not_required(number),
    n_samples_=not_required(count),
    **OF_ROWS,
)
class BaseAutoencoder(
    Encoding, Decoding, Imputing, Saving, Reporting, AutoencoderParameters
):
    """Base of all autoencoder transformers; not to be instantiated.

    A subclass has a constructor that names its parameters, and says through hooks what
    sets it apart: those of :class:`AutoencoderParameters`, and ``_describe``. Think
    twice before adding more here.
    """

    def _describe(self, X, is_incremental):
        """Set fitted attributes of the class's own, from the rows of this call.

        Parameters
        ----------
        X : MemoryRows or StreamedRows of shape (n_samples, n_features)
            In a group a sample of the rows, the same in all processes.
        is_incremental : bool
            Whether this was an epoch of `partial_fit`, and not a whole training.
        """

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None) -> "Self":
        """Train the autoencoder.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            At least two rows. NaN, None and pd.NA stand for missing cells. A DataFrame
            of pandas or polars may have categories and dates beside numbers. Rows of a
            sparse matrix are made dense a batch at a time; of one with more than 2000
            rows and columns, `n_components` must be a number of them. All rows may be
            more than memory: see :doc:`/scale`.
        y : object
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If X is not what the parameters need, or if the training diverges
            (:class:`skae.exceptions.DivergenceError`). An earlier fit is kept.

        Warns
        -----
        ConvergenceWarning
            If the user interrupts the training; the best epoch so far is kept.
        UserWarning
            If rows of a network of one's own depend on each other; if the code is
            larger than the rows, or than there are rows.
        """
        earlier = getattr(self, "_model", None) if self.warm_start else None
        return self._fit(X, earlier, is_incremental=False)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None) -> "Self":
        """Train for one epoch from where the autoencoder stands.

        The first call sets the widths, the shift and the scale of the data; later ones
        go on with them and with the optimiser's state. The learning rate is constant
        and no rows are held out for validation: after a whole :meth:`fit`, whose
        learning rate has fallen to zero, set a smaller one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The first call needs two rows.
        y : object
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        return self._fit(X, getattr(self, "_model", None), is_incremental=True)

    @by_blocks
    def reconstruct(self, X) -> Rows:
        """Encode rows and decode them again.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on.

        Returns
        -------
        X_reconstructed : ndarray or DataFrame of shape (n_samples, n_features)
            What the code kept of them, in the units of the data; of missing cells,
            what is expected there. A table, if one with categories or dates was fitted.
        """
        return self._as_given(self._expected(X), X)

    @by_blocks
    def score_samples(self, X) -> np.ndarray:
        """Minus the reconstruction loss of each row; higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Minus the mean over the observed features of the loss; for "squared_error"
            in squared units of the data. Of tables with categories or dates, minus the
            mean share of the columns' own uncertainty that is left: see
            :doc:`/tables`.

        Raises
        ------
        ValueError
            For rows outside of the range that the loss needs.
        """
        (rows, unseen), device = self._judged(X), inference_device(self.device)
        check_bounds(rows, self._model.loss)
        if self._columns is None:
            return -self._model.losses(rows, device)
        cells = self._model.cell_losses(rows, device)
        cells = np.where(unseen, self._columns.surprises, cells)
        return -mean_of_known(cells)

    def score(self, X, y=None) -> float:
        """Minus the mean reconstruction loss; higher is better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on.
        y : object
            Ignored.

        Returns
        -------
        score : float
            The mean of :meth:`score_samples`.
        """
        scores = np.asarray(self.score_samples(X))  # those of Dask are lazy
        return float(np.mean(scores, dtype=np.float64))

    def save_encoder(self, file) -> None:
        """Save what :meth:`transform` needs, alone.

        Of a network of your own all weights are saved: what it reads is not known.

        Parameters
        ----------
        file : str, PathLike or binary file
            For :func:`skae.load`, which gives an object with `transform` and without
            the decoder.

        Raises
        ------
        NotFittedError, TypeError, OSError
            As for :meth:`save`.
        """
        check_is_fitted(self)
        Encoder.of(self).save(file)

    def save_decoder(self, file) -> None:
        """Save what :meth:`inverse_transform` needs, alone.

        Of a network of your own all weights are saved: what it reads is not known.

        Parameters
        ----------
        file : str, PathLike or binary file
            For :func:`skae.load`, which gives an object with `inverse_transform` and
            without the encoder.

        Raises
        ------
        NotFittedError, TypeError, OSError
            As for :meth:`save`.
        """
        check_is_fitted(self)
        Decoder.of(self).save(file)

    @property
    def encoder_(self) -> nn.Module:
        """New torch module in data units: rows to codes."""
        check_is_fitted(self)
        return self._model.halves()[0]

    @property
    def decoder_(self) -> nn.Module:
        """New torch module in data units: codes to rows."""
        check_is_fitted(self)
        return self._model.halves()[1]

    @property
    def net_(self) -> "AutoencoderNet":
        """New skorch net around the trained network, with the history of losses."""
        check_is_fitted(self)
        model = self._model
        with undisturbed():
            objective = Objective(model.recipe, model.scaling)
            return fitted_net(model.build(), objective, model.scaling, self._history)

    def __getstate__(self):
        # Callbacks that took part in a training hold nets and optimisers.
        state = {**super().__getstate__()}
        state["callbacks"] = clone(self.callbacks, safe=False)
        return state

    def _onnx_parts(self):
        halves, width = self._model.halves, self._model.n_features
        return {
            **Encoding._onnx_parts(self),
            **Decoding._onnx_parts(self),
            "reconstruct": Part(
                lambda: Reconstruct(*halves()), width, "X", ("X_reconstructed",)
            ),
            "score": Part(lambda: Score(*halves()), width, "X", ("scores",)),
        }

    def _check_loaded(self):
        """Raise ValueError if what was read from a file doesn't fit together."""
        if hasattr(self, "_model"):
            self._model = checked(self._model)
            check_of_rows(self)
            self._check_donors()

    def _fit(self, X, earlier, is_incremental):
        """Train, and store the result: all of it, or nothing."""
        group, client = current_group(), client_for(X)
        if client is not None:
            return fit_on_workers(client, self, X, earlier, is_incremental)
        with all_or_nothing(self) as twin:
            first = earlier is None
            X, given = twin._rows(X, first, group)
            with group.together():
                for part in () if first else X.parts():
                    check_distance(part, earlier.scaling, type(self).__name__)
            check_is_there(X, type(self).__name__)
            done = 0 if first else self.n_iter_
            recipe, settings = twin._recipe(), twin._settings(is_incremental)
            layout = None if twin._columns is None else twin._columns.layout
            checkpoint = None if is_incremental else twin.checkpoint
            journal = journal_of(checkpoint, twin, X, earlier, group)
            fitted = fit(recipe, settings, X, earlier, done, layout, journal)
            fitted = fitted.agreed(group)
            twin._store(fitted, done)
            twin.n_samples_ = X.shape[0]
            if fitted.hidden is not None or not done:
                twin._keep_donors(fitted.hidden, given, X)
            twin._describe(X.shared(), is_incremental)
        if self.verbose and group.rank == 0:
            print(self.summary())
        if not fitted.result.interrupted:
            journal.close()
        else:
            warn("Training interrupted by user.", ConvergenceWarning)
        return self

    def _store(self, fitted, epochs_done):
        """Set the fitted attributes."""
        result = fitted.result
        self._model = fitted.model
        self._history = (self._history if epochs_done else []) + result.history
        self.n_components_ = fitted.model.n_components
        self.n_iter_ = epochs_done + result.n_iter
        if result.best_iter > 0 or epochs_done == 0:
            self.best_iter_ = epochs_done + result.best_iter
        self.loss_curve_ = [row["train_loss"] for row in self._history]
        # Epochs without validation rows, in partial_fit, have no such loss.
        curve = [row.get("valid_loss", np.nan) for row in self._history]
        self.validation_loss_curve_ = None if np.isnan(curve).all() else curve
        if fitted.pca_loss is not None:
            self.pca_loss_ = fitted.pca_loss
