"""How an autoencoder is fitted: training, and what is kept of it."""

from dataclasses import replace
from functools import partial

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skae._cluster.door import client_for
from skae._estimators.on_workers import fit_on_workers
from skae._estimators.rows import check_is_there
from skae._training.fit import fit
from skae._utils.group import current_group
from skae._utils.ranges import check_distance
from skae._utils.stages import NO_STAGE, TellsCallbacks
from skae._utils.twin import all_or_nothing, twin_of
from skae._utils.warnings import kept_warnings, warn
from skae.checkpoints._journal import journal_of


class Fitting(TellsCallbacks):
    """Mixin of what is trained, and stored at once or not at all."""

    def _describe(self, X, is_incremental):
        """Set fitted attributes of the class's own, from the rows of this call.

        Parameters
        ----------
        X : MemoryRows or StreamedRows of shape (n_samples, n_features)
            In a group a sample of the rows, the same in all processes.
        is_incremental : bool
            Whether this was an epoch of `partial_fit`, and not a whole training.
        """

    def _fit_told(self, X, y, earlier, is_incremental):
        """Train, and tell scikit-learn's callbacks of it."""
        name = "partial_fit" if is_incremental else "fit"
        with self._telling(X, y, name) as stage:
            return self._fit(X, earlier, is_incremental, stage)

    def _fit(self, X, earlier, is_incremental, stage=NO_STAGE):
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
            take = {"done": done, "X": X, "given": given}
            take["is_incremental"] = is_incremental
            recipe, settings = twin._recipe(), twin._settings(is_incremental)
            stage = stage.telling(partial(_state_so_far, twin, **take))
            settings = replace(settings, stage=stage)
            layout = None if twin._columns is None else twin._columns.layout
            checkpoint = None if is_incremental else twin.checkpoint
            journal = journal_of(checkpoint, twin, X, earlier, group)
            fitted = fit(recipe, settings, X, earlier, done, layout, journal)
            fitted = fitted.agreed(group)
            twin._take(fitted, **take)
        if self.verbose and group.rank == 0:
            print(self.summary())
        if not fitted.result.interrupted:
            journal.close()
        else:
            warn("Training interrupted by user.", ConvergenceWarning)
        return self

    def _take(self, fitted, done, X, given, is_incremental):
        """Set all fitted attributes."""
        self._store(fitted, done)
        self.n_samples_ = X.shape[0]
        if fitted.hidden is not None or not done:
            self._keep_donors(fitted.hidden, given, X)
        self._describe(X.shared(), is_incremental)

    def _store(self, fitted, epochs_done):
        """Set the fitted attributes that all autoencoders have."""
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


def _state_so_far(twin, fitted, **take):
    """The attributes of an estimator whose fit stops now; None where there are none."""
    if fitted is None:
        return None
    # What is said of a fit is said once, at its end.
    with kept_warnings():
        stopped = twin_of(twin)
        stopped._take(fitted, **take)
    return vars(stopped)
