"""What objects of stored classes have: a method that saves them."""

import platform
from importlib import import_module

from sklearn.utils.validation import check_is_fitted

from skae._files.container import dumps, write
from skae._files.values import NotStoredError, Writer
from skae._version import __version__

_LIBRARIES = ("numpy", "torch", "sklearn")


class Saving:
    """Mixin of what can be saved to a file."""

    def save(self, file) -> None:
        """Save all that was fitted to a file, for :func:`skae.load`.

        The file holds arrays and plain values, and nothing that is run when it is
        read. It is written beside the path and renamed at the end, so that an earlier
        file is there as it was until the new one is whole.

        Parameters
        ----------
        file : str, PathLike or binary file
            A path, such as ``"model.skae"``, or what has a method `write`.

        Raises
        ------
        NotFittedError
            If there is nothing to save yet.
        TypeError
            If what was fitted is of a class that is not of this package, such as a
            detector of scikit-learn in a :class:`~skae.detection.WindowedDetector`.
            Parameters of users' own, such as a network, need not be stored: they are
            given again when the file is loaded.
        ValueError
            If a parameter that was set since the fit is not possible.
        OSError
            If the file cannot be written. An earlier one is kept.
        """
        check_is_fitted(self)
        write(file, as_bytes(self))


def as_bytes(fitted):
    """The bytes of a file with a fitted object."""
    writer, name = Writer(), type(fitted).__name__
    try:
        node = writer.node(fitted)
    except NotStoredError as error:
        raise TypeError(
            f"This {name} cannot be saved: {str(error).lstrip('.')}, which files of "
            "skae do not hold. Use skops.io or pickle."
        ) from error
    versions = {name: import_module(name).__version__ for name in _LIBRARIES}
    versions |= {"skae": __version__, "python": platform.python_version()}
    return dumps(node, writer.arrays, versions)
