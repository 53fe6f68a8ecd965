"""The report of an estimator: made once, shown in notebooks, saved as a page."""

from html import escape

from sklearn.utils.validation import check_is_fitted

from skae._files.container import write_atomically
from skae._sources.door import refuse_sources
from skae.reports._html import page
from skae.reports._subject import Subject
from skae.reports._warnings import found
from skae.reports._words import summary

# Pixels of the frame in a notebook.
_HEIGHT = 800


class Report:
    """What an estimator makes of rows, as a page: ``estimator.report(X)`` makes one.

    The page holds all that it shows. It loads nothing and has no script. It is as
    readable on a phone as on a large screen, and dark where the reader's system is. In
    a notebook the report shows itself, in a frame.

    Attributes
    ----------
    summary : str
        What was fitted, in two lines.
    warnings : list of ReportWarning
        What should not be so, and what to do about it.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer
    >>> X = load_digits().data
    >>> autoencoder = AutoencoderTransformer(8, max_iter=2, random_state=0).fit(X)
    >>> report = autoencoder.report(X)
    >>> [warning.name for warning in report.warnings]
    ['undertrained']
    >>> report.save("report.html")  # doctest: +SKIP
    """

    def __init__(self, title, summary, notes, warnings, sections):
        self.summary = summary
        self.warnings = warnings
        self._title = title
        self._notes = notes
        self._sections = sections

    def to_html(self) -> str:
        """The page.

        Returns
        -------
        html : str
        """
        words = self.summary.splitlines()
        given = words, self._notes, self.warnings, self._sections
        return page(f"Report: {self._title}", *given)

    def save(self, file) -> None:
        """Write the page to a file.

        It is written beside the path and renamed at the end, so that an earlier file is
        there as it was until the new one is whole.

        Parameters
        ----------
        file : str or PathLike
            Such as ``"report.html"``.

        Raises
        ------
        OSError
            If the file cannot be written. An earlier one is kept.
        """
        write_atomically(file, self.to_html().encode())

    def _repr_html_(self):
        # In a frame, the page's style is its own, and the notebook's stays outside.
        return (
            f'<iframe title="{escape(self._title)}" srcdoc="{escape(self.to_html())}" '
            'sandbox="" style="width: 100%; border: 0; '
            f'height: {_HEIGHT}px"></iframe>'
        )

    def __repr__(self):
        return "\n".join([self.summary, *self._notes, *map(str, self.warnings)])


def report_of(estimator, X, y, image_shape) -> Report:
    """The report of an estimator and of rows, as `Reporting.report` documents it."""
    # With matplotlib, which only what is drawn needs.
    from skae.reports._sections import sections

    check_is_fitted(estimator)
    refuse_sources(X, "report", "pass some thousand of its rows, which say as much")
    subject = Subject(estimator, X, y, image_shape)
    shown = summary(estimator), subject.notes(), found(subject), sections(subject)
    return Report(type(estimator).__name__, *shown)
