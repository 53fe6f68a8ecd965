"""Loading: of what was saved, never more than arrays and plain values."""

from typing import Any

from skae._files.loading import loaded
from skae._names import MODULES, imported

_HALVES = "skae._estimators.halves"


def load(file, **given) -> Any:
    """Load what `save`, `save_encoder` or `save_decoder` has written.

    Reading a file runs nothing that is in it: it holds arrays and plain values, and
    objects are made of a fixed table of this package's classes. A file from anybody
    may be loaded; a pickle may not.

    Parameters
    ----------
    file : str, PathLike or binary file
        A path, or what has a method `read`.
    **given : objects
        What users wrote is in no file and is passed again, by the names of the
        parameters that held it: ``network=Images``, or of a detector
        ``autoencoder__network=Images``. `callbacks`, too; None for none.

    Returns
    -------
    loaded : object
        With the results of what was saved, to the bit, on the same kind of machine.
        What `save_encoder` wrote is an estimator with `transform` alone, that of
        `save_decoder` with `inverse_transform` alone.

    Raises
    ------
    InvalidFileError
        If the file is damaged, of an unknown format, or something else, such as a
        pickle.
    TypeError
        If something is missing, or not needed, among `given`.
    ValueError
        If a network that was given is another one than was saved.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import io
    >>> from sklearn.datasets import load_digits
    >>> import skae
    >>> X = load_digits().data
    >>> autoencoder = skae.AutoencoderTransformer(8, max_iter=3).fit(X)
    >>> file = io.BytesIO()  # or a path
    >>> autoencoder.save(file)
    >>> _ = file.seek(0)
    >>> again = skae.load(file)
    >>> bool((again.transform(X) == autoencoder.transform(X)).all())
    True
    """
    # Every class that files may hold is in one of these.
    for module in {*MODULES.values(), _HALVES}:
        imported(module)
    return loaded(file, given)
