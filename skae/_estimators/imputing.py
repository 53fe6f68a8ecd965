"""Missing cells filled, once or several times."""

from functools import partial
from numbers import Integral

import numpy as np

from skae._estimators.rows import OfRows
from skae._inference.donors import Donors
from skae._inference.model import Model
from skae._sources.by_blocks import by_blocks
from skae._sources.door import refuse_sources
from skae._tables.filled import fill
from skae._utils.checks import instance, not_required, optional
from skae._utils.device import inference_device
from skae._utils.random import new_seed
from skae._utils.sparse import dense, refuse_sparse
from skae._utils.stored import stored_base
from skae._utils.typing import Rows
from skae._utils.validation import without_torch


@stored_base(_donors=not_required(optional(instance(Donors))))
class Imputing(OfRows):
    """Mixin of estimators with a whole model, and a device.

    Attributes
    ----------
    _donors : Donors or None
        None where no cells were hidden in training.
    """

    _model: Model
    _donors: Donors | None = None
    device: str

    def impute(self, X, draws=None, random_state=None) -> Rows | list[Rows]:
        """Fill missing cells by what is expected there, given the others of the row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on, NaN, None or pd.NA
            where cells are missing.
        draws : int, default=None
            How many fillings to draw, for multiple imputation [1]_: numbers are
            observed ones of rows where about the same was expected [2]_, categories are
            drawn by their probabilities, except for levels too rare to have one. None
            is the one that is expected.
        random_state : int, RandomState instance or None, default=None
            Determines the draws.

        Returns
        -------
        X_filled : array or DataFrame of shape (n_samples, n_features), or list of them
            X, of its own type, with all observed cells as they were. As many as
            `draws`, where these are wanted.

        Raises
        ------
        NotFittedError, ValueError
            As for :meth:`transform`; if draws are wanted of a transformer that was
            trained without missing cells.

        References
        ----------
        .. [1] Rubin, D. B. (1987). Multiple imputation for nonresponse in surveys.
           Wiley. :doi:`10.1002/9780470316696`
        .. [2] Little, R. J. A. (1988). Missing-data adjustments in large surveys.
           Journal of Business & Economic Statistics 6(3).
           :doi:`10.1080/07350015.1988.10509663`
        """
        if draws is None:
            return self._imputed(X)
        refuse_sources(X, "impute with draws", "call it with one block after the other")
        refuse_sparse(X)
        expected = self._expected(X)
        if not isinstance(draws, Integral) or draws < 1:
            raise ValueError(
                f"draws={draws!r}, but at least 1 was expected, an integer, or None."
            )
        if self._donors is None:
            raise ValueError(
                "draws are taken from what hidden cells turned out to be, but this "
                f"{type(self).__name__} was trained without any: fit it to rows with "
                "missing cells, or with corruption=skae.corruptions.Missing()."
            )
        rng = np.random.default_rng(new_seed(random_state))
        X = without_torch(X)
        return [
            fill(X, self._drawn(expected, rng), self._columns, in_units=True)
            for _ in range(draws)
        ]

    @by_blocks
    def _imputed(self, X):
        """X, missing cells filled by what is expected there."""
        refuse_sparse(X)
        return self._filled(X, self._expected(X))

    def _drawn(self, expected, rng):
        """Rows (n, width) around expected ones, with numbers in the data's units."""
        rows, columns = np.array(expected, np.float64), self._columns
        if columns is not None:
            rngs = [rng] * columns.layout.n_blocks
            rows = columns.in_units(columns.with_drawn_levels(rows, rngs))
        numbers = self._donors.drawn(expected, rng)
        found = ~np.isnan(numbers)
        rows[:, : numbers.shape[1]][found] = numbers[found]
        return rows

    def _keep_donors(self, hidden, given, rows):
        """Set the donors among the rows of a fit, as its training found them.

        Parameters
        ----------
        hidden : Hidden or None
        given : array-like of shape (n_samples, n_features), or RowSource
            The rows as they were passed.
        rows : MemoryRows, StreamedRows or GroupedRows of shape (n_samples, width)
            The same as models read them.
        """
        self._donors = None
        if hidden is not None:
            # What was scaled once does not come back to the bit.
            exact = None if self._columns is None else partial(self._exact, given)
            observed = dense(rows.take(hidden.rows, exact))
            self._donors = Donors.of(hidden.expected, observed, hidden.n_held_out)

    def _check_donors(self):
        """Raise ValueError for donors, read from a file, that are not the model's."""
        layout, n_numbers = self._model.recipe.layout, self._model.n_features
        if layout is not None:
            n_numbers = layout.n_numbers
        if self._donors is not None and len(self._donors.expected) != n_numbers:
            raise ValueError("Its donors are not those of its columns.")

    def _expected(self, X):
        """Reconstructions (n, width) of rows."""
        rows = self._checked(X)
        return self._model.reconstruct(rows, inference_device(self.device))
