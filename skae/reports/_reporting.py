"""What all estimators have for people: a summary, a report, and links to the docs."""

from html import escape
from itertools import takewhile

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skae._names import MODULES
from skae.reports._report import Report, report_of
from skae.reports._words import summary

_DOCS = "https://skae-developers.github.io/skae/generated/{name}.html"


class Reporting:
    """Mixin of estimators that say what was fitted, and what they make of rows."""

    def summary(self) -> str:
        """What was fitted, and how it compares with PCA or what its threshold says.

        Returns
        -------
        summary : str
            Two lines of text.

        Raises
        ------
        NotFittedError
            If nothing was fitted.
        """
        check_is_fitted(self)
        return summary(self)

    def report(self, X, y=None, *, image_shape=None) -> Report:
        """What the estimator makes of rows: a page of words, pictures and tables.

        It shows itself in a notebook, and ``report.save("report.html")`` writes a page
        that needs no network. Pictures need matplotlib (``pip install 'skae[plot]'``).

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Rows in the units that the estimator was fitted on, in memory. Those held
            out from `fit` say more than those of it. Of more than 10,000 rows, or of 2
            million cells, a sample is shown; of a series the latest 5,000 times.
        y : array-like of shape (n_samples,), default=None
            Classes or numbers by which the codes are coloured. For detectors, whether
            each row is known to be an outlier: truth values, 0 and 1, or 1 and -1 as of
            `predict`, where -1 is an outlier. Of 1 alone, which is both, pass
            truth values.
        image_shape : tuple of int, default=None
            ``(height, width)`` or ``(height, width, channels)`` of rows that are
            images, to be shown as such. None is that of a
            :class:`skae.networks.Convolutional` network, if there is one.

        Returns
        -------
        report : Report
            With `save`, and `warnings` with what to do about them.

        Raises
        ------
        NotFittedError
            If nothing was fitted.
        ImportError
            If matplotlib is not installed.
        TypeError, ValueError
            If X is not what the estimator reads, or has no rows; if y is of another
            length, or of a detector has other values, such as names of classes; if
            rows are no images of the shape.
        """
        return report_of(self, X, y, image_shape)

    # How scikit-learn shows an estimator: hooks that its versions have in common.

    def _get_doc_link(self):
        name, parts = type(self).__name__, type(self).__module__.split(".")
        public = takewhile(lambda part: not part.startswith("_"), parts)
        module = "skae" if name in MODULES else ".".join(public)
        return _DOCS.format(name=f"{module}.{name}")

    def _repr_html_inner(self):
        return super()._repr_html_inner() + self._summary_html()

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] += self._summary_html()
        return bundle

    def _summary_html(self):
        try:
            words = self.summary()
        except NotFittedError:
            return ""
        lines = escape(words).replace("\n", "<br>")
        return f'<div role="note" style="margin: 0.5em 0">{lines}</div>'
