"""Inference without PyTorch: files of fitted transformers, computed by numpy.

Only numpy and safetensors are imported, so that this starts in a fraction of a second
and runs where neither PyTorch nor scikit-learn is installed. Tables with categories or
dates need the library that they are of, pandas or polars.
"""

from skae._files.container import read
from skae.inference._models import Autoencoder, Decoder, Encoder, Imputer
from skae.inference._tree import interpreted

__all__ = ["Autoencoder", "Decoder", "Encoder", "Imputer", "load"]


def load(file) -> Autoencoder | Encoder | Decoder | Imputer:
    """Load a file of a dense autoencoder, to be applied without PyTorch.

    Results are those of the estimator up to rounding, within 1e-5 of the data's scale.
    That of a row may differ in its last digits with the number of rows beside it,
    other than from an estimator. Where two components of a sparse code are equally
    large but for rounding, another one may be kept. Many rows are shared among as many
    threads as numpy's products take: ``OPENBLAS_NUM_THREADS`` limits them.

    Parameters
    ----------
    file : str, PathLike or binary file
        What ``save``, ``save_encoder`` or ``save_decoder`` of a transformer, or
        ``save`` of an imputer, has written: a path, or what has a method `read`.

    Returns
    -------
    model : Autoencoder, Encoder, Decoder or Imputer
        With the methods that the file suffices for, and no others.

    Raises
    ------
    InvalidFileError
        If the file is damaged, or no file of this package.
    TypeError
        If it holds what needs PyTorch: convolutions, a part of your own, a detector.
        :func:`skae.load` reads it with PyTorch, and ``skae.to_onnx`` writes it for
        ONNX Runtime.
    ImportError
        If it was fitted to a table of pandas with categories or dates, and pandas is
        not installed.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> import skae.inference
    >>> X = np.random.default_rng(0).normal(size=(50, 6))
    >>> autoencoder = skae.AutoencoderTransformer(2, max_iter=2).fit(X)
    >>> file = io.BytesIO()  # or a path
    >>> autoencoder.save(file)
    >>> _ = file.seek(0)
    >>> model = skae.inference.load(file)  # where PyTorch need not be installed
    >>> bool(np.allclose(model.transform(X), autoencoder.transform(X), atol=1e-5))
    True
    """
    found = read(file)
    return interpreted(found.content, found.arrays)
