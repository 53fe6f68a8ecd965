"""New rows, drawn from a distribution of codes."""

from functools import partial
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skae._estimators.rows import OfRows
from skae._inference.marginals import Marginals
from skae._inference.mixture import CodeMixture
from skae._inference.model import Model
from skae._training.data import CHUNK_ROWS
from skae._utils.checks import instance, not_required, optional
from skae._utils.device import inference_device
from skae._utils.random import new_seed
from skae._utils.sparse import dense
from skae._utils.stored import stored_base
from skae._utils.typing import Rows

# Samples by which those of a table are mapped to its columns' distributions, and draws
# of rows' codes to which a mixture is fitted.
_N_SAMPLES = 4096


@stored_base(
    _marginals=not_required(optional(instance(Marginals))),
    _mixture=not_required(optional(instance(CodeMixture))),
)
class Sampling(OfRows):
    """Mixin of estimators with a whole model, whose codes are standard normal.

    Attributes
    ----------
    _marginals : Marginals or None
        Of a table with categories or dates.
    _mixture : CodeMixture or None
        Of which draws are decoded; None is the prior.
    """

    _model: Model
    _marginals: Marginals | None = None
    _mixture: CodeMixture | None = None
    device: str
    n_components_: int
    noise_scale_: np.ndarray
    validation_loss_curve_: list | None
    best_iter_: int

    def sample(self, n_samples=1, random_state=None, *, noise=False) -> Rows:
        """Draw new rows: decode draws from a distribution of codes.

        Which is a mixture of normal distributions, fitted once training has ended to
        the codes that rows have (Ghosh et al. 2020, https://arxiv.org/abs/1903.12436):
        codes have the moments of the prior, but leave parts of it empty. It is the
        prior itself after `partial_fit`, and where fewer than ten rows were fitted for
        each component, or there are more than 400 of these.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
            Determines the draws. Pass an int for the same rows each time.
        noise : bool, default=False
            Whether columns vary around what is expected, as they do in the data:
            numbers by a normal distribution of `noise_scale_`, categories by their
            probabilities. The numbers of a table with categories or dates are then
            mapped, column by column, to those of the same rank in the data: they have
            its range and its steps. False is what is expected, and varies less than
            the data: see :doc:`/family` for when to take which.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, `n_features_in_`)
            Rows in the units of the data, as `inverse_transform` returns them: a
            DataFrame if a table with categories or dates was fitted, and an array of
            numbers for an array or a DataFrame of numbers alone.

        Raises
        ------
        NotFittedError
            If the transformer was not fitted.
        ValueError
            If `n_samples` is less than 1, `random_state` or `noise` is something else;
            or if noise is wanted of a transformer that was saved before it was stored.
        """
        check_is_fitted(self)
        if isinstance(random_state, bool | np.bool_):
            raise ValueError(
                f"random_state={random_state!r}, but an integer, a RandomState or None "
                "was expected: noise is passed by name, noise=True."
            )
        if not isinstance(noise, bool | np.bool_):
            raise ValueError(f"noise={noise!r}, but True or False was expected.")
        is_bool = isinstance(n_samples, bool)
        if is_bool or not isinstance(n_samples, Integral) or n_samples < 1:
            raise ValueError(
                f"n_samples={n_samples!r}, but at least 1 was expected, an integer."
            )
        rng = np.random.default_rng(new_seed(random_state))
        rows = self._decoded(n_samples, rng)
        if noise and not hasattr(self, "noise_scale_"):
            raise ValueError(
                "noise=True, but this transformer was saved by an earlier version, "
                "which did not store noise_scale_: fit it again, or use noise=False."
            )
        if noise and self._columns is not None:
            return self._table_with_noise(rows, rng)
        if noise:
            (of_noise,) = rng.spawn(1)
            rows += self.noise_scale_ * of_noise.normal(size=rows.shape)
            bounds = self._model.loss.bounds
            rows = rows if bounds is None else rows.clip(*bounds)
        return self._as_given(rows, None)

    def _table_with_noise(self, rows, rng):
        columns = self._columns
        # Generators of their own: the first rows of many are those of few.
        of_numbers, *of_levels = rng.spawn(1 + columns.layout.n_blocks)
        rows = columns.with_drawn_levels(rows, of_levels)
        numbers = self._marginals.mapped(self._varied(rows, of_numbers))
        rows[:, : numbers.shape[1]] = numbers
        return columns.restore(rows, in_units=True)

    def _rows(self, X, is_first, group):
        rows, given = super()._rows(X, is_first, group)
        if is_first:
            self._marginals = None
        if is_first and self._columns is not None:
            exact = partial(self._exact, given)
            self._marginals = Marginals.of(rows.take(rows.sample(), exact))
        return rows, given

    def _learn_samples(self, X, is_incremental):
        """Set what samples look like, once all else is fitted to rows X."""
        self._mixture = None
        if not is_incremental:  # the rows of one call are not all
            rng = np.random.default_rng(self._model.seed)
            n_chosen = min(X.shape[0], _N_SAMPLES)
            chosen = rng.choice(X.shape[0], n_chosen, replace=False)
            mean, deviation = (
                np.resize(part, (_N_SAMPLES, self.n_components_))
                for part in self._distribution(dense(X.take(chosen)))
            )
            codes = mean + deviation * rng.normal(size=mean.shape)
            self._mixture = CodeMixture.of(codes, len(chosen), self._model.seed)
        if self._columns is not None:
            rng = np.random.default_rng(self._model.seed)
            samples = self._varied(self._decoded(_N_SAMPLES, rng), rng)
            self._marginals = self._marginals.of_samples(samples)

    def _check_loaded(self):
        super()._check_loaded()
        mixture = self._mixture
        if mixture is not None and mixture.means.shape[1] != self.n_components_:
            raise ValueError("Its mixture is not one of its codes.")
        marginals, columns = self._marginals, self._columns
        if (marginals is None) != (columns is None):
            raise ValueError("Its samples are not those of its columns.")
        if columns is not None and len(marginals.observed) != columns.layout.n_numbers:
            raise ValueError("Its samples are not those of its columns.")
        noise = getattr(self, "noise_scale_", None)
        if noise is None:
            return
        # Of categories there is none, nor of a table's columns without any cell.
        known = noise if columns is None else noise[~np.isnan(noise)]
        is_possible = np.isfinite(known).all() and (known >= 0).all()
        if noise.shape != (self.n_features_in_,) or not is_possible:
            raise ValueError("Its noise is not that of its columns.")

    def _decoded(self, n_samples, rng):
        """Rows (n_samples, width) that draws of codes decode to."""
        if self._mixture is None:
            code = rng.normal(size=(n_samples, self.n_components_))
        else:
            code = self._mixture.draw(n_samples, rng)
        return self._model.decode(code, inference_device(self.device))

    def _varied(self, rows, rng):
        """Numbers (n, n_numbers) of a table's rows, with noise, in standard units."""
        columns = self._columns
        # Nothing is known of a column that is empty.
        scale = np.nan_to_num(self.noise_scale_ / columns.scales)[~columns.is_category]
        numbers = rows[:, : len(scale)]
        return numbers + scale * rng.normal(size=numbers.shape)

    def _noise(self, X):
        """Standard deviations (n_features,) of rows about what codes decode to."""
        model, device = self._model, inference_device(self.device)
        rng = np.random.default_rng(model.seed)
        squares, counts, loss = np.zeros(X.shape[1]), np.zeros(X.shape[1]), 0.0
        for part in X.parts(CHUNK_ROWS):
            rows = dense(part)
            mean, deviation = self._distribution(rows)
            code = mean + deviation * rng.normal(size=mean.shape)
            errors = (rows - model.decode(code, device)).astype(np.float64)
            squares += np.nansum(np.square(errors), axis=0)
            counts += np.count_nonzero(~np.isnan(errors), axis=0)
            loss += float(model.losses(rows, device).sum())
        noise = np.sqrt(squares / np.maximum(counts, 1))
        # Rows that were trained on are closer to what they decode to than new ones, but
        # where probabilistic PCA is kept, which accounts for that.
        curve, degree = self.validation_loss_curve_, model.loss.degree
        if curve is None or not (self.best_iter_ and degree and loss):
            return noise
        optimism = curve[self.best_iter_ - 1] / (loss / X.shape[0])
        return noise * np.fmax(optimism, 1.0) ** (1 / degree)  # 1 if it is NaN
