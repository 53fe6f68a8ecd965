"""How unusual rows of tables are: cells that don't fit the others of their rows."""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import gen_batches

from skae._estimators.base import BaseAutoencoder
from skae._tables.frames import frame_of
from skae._tables.numbers import NumberColumn
from skae._utils.checks import fitted, instance, list_of, positive
from skae._utils.device import inference_device
from skae._utils.stored import stored
from skae.detection._anomalies import REACH
from skae.detection._ratios import Ratios, logs, undo_logs
from skae.detection._reasons import in_places, of_level, of_number, reasons
from skae.detection._scores import SCORES, JointDistance
from skae.detection._tails import Tail

# Cells of rows, each of which stands once for each of its columns, read at once.
_CHUNK_CELLS = 2**20
# Rows that are encoded at once: they are much wider than the table.
_READ_ROWS = 2048
# Rows that are compared with all references at once.
_CHUNK_ROWS = 1024
# Least size of the tail of scores, of whatever unit: all are about the same.
_LEAST_TAIL = 1e-6


@stored(
    method=lambda value: value in SCORES,
    autoencoders=list_of(fitted(BaseAutoencoder)),
    _ratios=list_of(instance(Ratios)),
    _distances=list_of(instance(JointDistance)),
    _tails=list_of(list_of(instance(Tail))),
    _tail=positive,
)
class TableModels:
    """Autoencoders of tables that have not seen the rows of a fold each, and scores.

    Each column is hidden in turn, and expected from the others; see :class:`Ratios`.
    What single cells say adds up over a row, but a cell that can't be is one among
    many: so a row is as unusual as the sum or as its worst cell, whichever is rarer.

    Attributes
    ----------
    method : {"combined", "neighbors", "error"}
        What rows are scored by.
    autoencoders : list of estimators
        One for each fold.
    """

    def fit(self, rows, folds, new_autoencoder, method, seed, stage):
        """Fit autoencoders to rows, and learn what these expect of rows held out.

        Parameters
        ----------
        rows : RowsInMemory or RowsOfSource
            Of a table.
        folds : iterable of (train, held_out)
            As of :func:`splits`.
        new_autoencoder : callable
            Without arguments.
        method : {"combined", "neighbors", "error"}
        seed : int
        stage : NullStage
            Of which fits of autoencoders are stages.

        Returns
        -------
        scores : ndarray of shape (n,)
            Higher is more unusual. NaN for rows that are never held out.
        """
        self.method = method
        self.autoencoders, self._ratios, self._distances = [], [], []
        self._tails = []
        scores = np.full(len(rows), np.nan)
        for train, held_out in folds:
            with stage.fitting(new_autoencoder(), "fold") as autoencoder:
                _check_reads_tables(autoencoder)
                self.autoencoders.append(autoencoder.fit(rows.chosen(train)))
            columns, ratios = autoencoder._columns, Ratios()
            fitted_to = rows.kept(np.random.default_rng(seed).permutation(train))
            fitted_to = rows.taken(fitted_to, lambda X: self._cells(-1, X)[0])
            self._ratios.append(ratios.of_range(columns, fitted_to))
            kept = rows.kept(held_out)
            others = held_out[len(kept) :]
            cells, unseen = self._cells_of(rows, kept)
            expected = self._expected(-1, cells)
            ratios.fit(columns, cells, expected)
            if self.method == "neighbors":
                pair = self._filled(-1, cells, unseen)
                self._distances.append(JointDistance().fit(*pair, seed))
            if self._hides:
                found = ratios.of(columns, cells, unseen, expected, are_references=True)
                answers = _answers(found, cells, unseen)
                if len(others):
                    found = rows.taken(others, self._answers_of_last)
                    answers = np.concatenate([answers, found])
                *of_rows, known = answers.T
                self._tails.append([Tail(values) for values in of_rows])
                scores[held_out] = np.where(known, self._rarest(-1, of_rows), 0.0)
            else:
                found = self._of_rows(-1, cells, unseen)
                if len(others):
                    more = rows.taken(
                        others, lambda X: self._of_rows(-1, *self._cells(-1, X))
                    )
                    found = np.concatenate([found, more])
                scores[held_out] = found
        self._tail = Tail(scores[~np.isnan(scores)], _LEAST_TAIL).size
        return scores

    def check(self, n_features, columns):
        """Raise ValueError for parts, read from a file, that don't fit together."""
        if columns is None or columns.n_columns != n_features:
            raise ValueError("Its columns are not those of its folds.")
        n_folds = len(self.autoencoders)
        n_distances = n_folds if self.method == "neighbors" else 0
        if not n_folds == len(self._ratios) or len(self._distances) != n_distances:
            raise ValueError("Its ratios are not those of its folds.")
        if len(self._tails) != (n_folds if self._hides else 0):
            raise ValueError("Its tails are not those of its folds.")
        for of_fold in self._tails:
            if len(of_fold) != 2:
                raise ValueError("Its tails are not those of sums and worst cells.")
            for tail in of_fold:
                tail.check()
        for k, autoencoder in enumerate(self.autoencoders):
            own = autoencoder._columns
            if own is None or not np.array_equal(own.is_category, columns.is_category):
                raise ValueError("Its folds are not of one table.")
            self._ratios[k].check(own)
            for distance in self._distances[k : k + 1]:
                distance.check(own.layout.width)

    def scores(self, X):
        """How unusual rows of a table are: (n,), higher is more unusual.

        Of folds whose scores have exponential tails, the logarithm of the mean of the
        exponentials has the same tail as each of them, whether they agree or not, so
        that it is comparable with scores of rows held out, which one of them gives.
        """
        scores, frame = np.empty((self._n_folds, len(X))), frame_of(X)
        for chunk in gen_batches(len(X), _READ_ROWS):
            rows = frame.rows(chunk)
            for k in range(self._n_folds):
                cells, unseen = self._cells(k, rows)
                expected = self._expected(k, cells) if self._hides else None
                scores[k, chunk] = self._of_rows(k, cells, unseen, expected)
        mean = logsumexp(scores / self._tail, axis=0) - np.log(len(scores))
        return mean * self._tail

    def feature_scores(self, X):
        """Log ratios (n, n_columns) of cells, the mean over the folds."""
        return np.mean([self._judged(k, X)[0] for k in range(self._n_folds)], axis=0)

    def reconstruct(self, X, columns):
        """Encoded rows (n, width) that autoencoders make of rows, the mean over folds.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n, n_columns)
        columns : Columns
            Of all rows, that encode the result.
        """
        rows = np.zeros((len(X), columns.layout.width))
        for k, autoencoder in enumerate(self.autoencoders):
            cells = self._ratios[k].near(self._cells(k, X)[0])
            made = self._reconstructed(k, cells)
            rows += autoencoder._columns.translated(made, columns)
        return rows / self._n_folds

    def reasons(self, X, units, n_features, labels):
        """Reasons, as :meth:`AutoencoderOutlierDetector.explain` returns them.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n, n_columns)
        units : Units
            With the columns of all rows.
        n_features : int
        labels : Index or None
        """
        columns = units.columns
        scores, errors = np.zeros((2, len(X), columns.n_columns))
        expected = np.zeros((len(X), columns.layout.width))
        # Autoencoders take no empty tables.
        for k, autoencoder in enumerate(self.autoencoders if len(X) else ()):
            of_fold, cells, of_others, _ = self._judged(k, X)
            own, usual = autoencoder._columns, self._ratios[k].usual_errors
            made = own.translated(of_others, columns)
            expected += logs(columns, made) / self._n_folds
            scores += of_fold / self._n_folds
            numbers = slice(0, len(usual))
            apart = (cells - of_others)[:, numbers] / usual
            errors[:, own.layout.order[numbers]] += apart / self._n_folds
        undo_logs(columns, expected)
        errors[:, columns.is_category] = np.nan
        observed, unseen = columns.values_of(X), columns.unseen(X)
        values = columns.values_of(columns.restore(expected))

        def said(i, j):
            kind, cells = columns.columns[j], expected[i, columns.parts[j]]
            value, told = observed[i, j], kind.told(values[i, j], cells)
            if kind.is_category:
                told = None if value == values[i, j] else told
                return of_level(value, told, unseen[i, j], scores[i, j])
            if isinstance(kind, NumberColumn) and kind.places is not None:
                number = float(cells[0] * kind.scale + kind.shift)
                number = min(max(number, kind.low), kind.high)
                told = in_places(number, value, kind.places)
            return of_number(value, told, errors[i, j], kind.sides, scores[i, j])

        given = observed, values, errors, scores, said
        return reasons(units.names, *given, n_features, labels)

    @property
    def _hides(self):
        return self.method == "combined"

    @property
    def _n_folds(self):
        return len(self.autoencoders)

    def _cells(self, k, X):
        """Encoded rows, and where levels are that the fold has not observed."""
        columns = self.autoencoders[k]._columns
        cells, unseen = columns.encoded(X)
        for j, column in enumerate(columns.columns):
            if column.is_empty:  # nothing to compare with
                cells[:, columns.parts[j]] = np.nan
        return cells, unseen

    def _judged(self, k, X):
        """Log ratios of cells, encoded rows, what is expected of hidden columns, and
        where levels are that the fold has not observed."""
        cells, unseen = self._cells(k, X)
        expected = self._expected(k, cells)
        own = self.autoencoders[k]._columns, cells, unseen, expected
        return self._ratios[k].of(*own), cells, expected, unseen

    def _cells_of(self, rows, numbers):
        """Encoded rows with some numbers, and where levels are that are not known."""

        def both(X):
            cells, unseen = self._cells(-1, X)
            return np.concatenate([cells, unseen], axis=1)

        found = rows.taken(numbers, both)
        width = self.autoencoders[-1]._columns.layout.width
        return found[:, :width], found[:, width:] == 1

    def _answers_of_last(self, X):
        """What the last fold says of rows that it held out, as `_answers`."""
        ratios, cells, _, unseen = self._judged(-1, X)
        return _answers(ratios, cells, unseen)

    def _rarest(self, k, of_cells):
        """Surprisal (n,) of rows' sum of log ratios, or of their worst cell's."""
        pairs = zip(self._tails[k], of_cells, strict=True)
        return np.maximum(*(tail(scores) for tail, scores in pairs))

    def _of_rows(self, k, cells, unseen, expected=None):
        """Scores (n,) of rows by one fold; 0 for rows of which nothing is known."""
        known = _are_known(cells, unseen)
        return np.where(known, self._of_known(k, cells, unseen, expected), 0.0)

    def _of_known(self, k, cells, unseen, expected):
        autoencoder = self.autoencoders[k]
        columns = autoencoder._columns
        if self._hides:
            found = self._ratios[k].of(columns, cells, unseen, expected)
            return self._rarest(k, _of_cells(found))
        if self.method == "error":
            device = inference_device(autoencoder.device)
            losses = autoencoder._model.cell_losses(
                np.clip(cells, -REACH, REACH), device
            )
            losses = np.where(unseen, columns.surprises, np.nan_to_num(losses))
            return losses.mean(axis=1)
        rows, errors = self._filled(k, cells, unseen)
        distances = [
            self._distances[k].of(rows[chunk], errors[chunk])
            for chunk in gen_batches(len(rows), _CHUNK_ROWS)
        ]
        return np.concatenate(distances)

    def _filled(self, k, cells, unseen):
        """Rows without missing cells, and the errors of their reconstructions.

        These are NaN where cells are missing. A level that was not observed is none of
        those that were.
        """
        layout = self.autoencoders[k]._columns.layout
        made = self._reconstructed(k, np.clip(cells, -REACH, REACH))
        rows = np.where(np.isnan(cells), made, cells)
        none = unseen[:, layout.of_column]
        rows[none] = 0.0
        return rows, np.where(np.isnan(cells) & ~none, np.nan, rows - made)

    def _expected(self, k, cells):
        """What is expected of each column by the others: (n, width)."""
        cells = self._ratios[k].near(cells)
        layout = self.autoencoders[k]._columns.layout
        is_hidden = np.arange(layout.n_columns)[:, None] == layout.of_column
        expected = np.empty_like(cells)
        size = max(1, _CHUNK_CELLS // is_hidden.size)
        for chunk in gen_batches(len(cells), size):
            rows = np.where(is_hidden[:, None], np.nan, cells[chunk])
            made = self._reconstructed(k, rows.reshape(-1, layout.width))
            made = made.reshape(rows.shape)  # (n_columns, n, width)
            place = np.arange(layout.width)
            expected[chunk] = made[layout.of_column, :, place].T
        return expected

    def _reconstructed(self, k, cells):
        autoencoder = self.autoencoders[k]
        device = inference_device(autoencoder.device)
        return autoencoder._model.reconstruct(cells, device)


def _check_reads_tables(autoencoder):
    if not isinstance(autoencoder, BaseAutoencoder):
        raise TypeError(
            f"X has categories or dates, which autoencoder={autoencoder!r} does not "
            "read so that its columns can be told apart: pass a transformer of this "
            "package, or encode the columns as numbers first."
        )


def _are_known(cells, unseen):
    """Of which rows (n,) anything is known."""
    return (~np.isnan(cells)).any(axis=1) | unseen.any(axis=1)


def _answers(ratios, cells, unseen):
    """Sum and largest of each row's ratios, and whether it is known: (n, 3)."""
    return np.column_stack([*_of_cells(ratios), _are_known(cells, unseen)])


def _of_cells(ratios):
    """The sum (n,) over each row (n, n_columns), and its largest (n,)."""
    return ratios.sum(axis=1), ratios.max(axis=1)
