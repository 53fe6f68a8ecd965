"""The codec of a fitted transformer, and its two halves."""

import hashlib
from copy import copy

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skae._estimators.base import BaseAutoencoder
from skae._estimators.halves import Decoder, Encoder
from skae._files.container import write as write_file
from skae._files.saving import as_bytes
from skae._sources.door import refuse_sources
from skae._utils.checks import fitted, instance, number, text
from skae._utils.stored import stored, stored_base
from skae.compression import _frames
from skae.compression._choice import chosen, encoded
from skae.compression._quantizer import Quantizer
from skae.compression._tables import Tables
from skae.exceptions import InvalidFileError


@stored_base(quantizer=instance(Quantizer), tables=instance(Tables), pairing_id=text)
class _Coding:
    """What the codec and its halves have in common: all that bytes depend on.

    Parameters
    ----------
    transformer : BaseAutoencoder, Encoder or Decoder
    quantizer : Quantizer
    tables : Tables
    pairing_id : str
    """

    def __init__(self, transformer, quantizer, tables, pairing_id):
        self.transformer = transformer
        self.quantizer = quantizer
        self.tables = tables
        self.pairing_id = pairing_id

    def save(self, file) -> None:
        """Save it to a file, for :func:`skae.load`.

        Parameters
        ----------
        file : str, PathLike or binary file
            A path, or what has a method `write`.

        Raises
        ------
        TypeError
            If the transformer is of a class that is not of this package.
        OSError
            If the file cannot be written. An earlier one is kept.
        """
        write_file(file, as_bytes(self))

    def _check_loaded(self):
        k = self.transformer.n_components_
        if (len(self.quantizer.steps), len(self.tables.lows)) != (k, k):
            raise ValueError("Its tables are not those of its codes.")
        if self.pairing_id != self._digest():
            raise ValueError("Its pairing id is not that of its model and tables.")

    def _digest(self):
        """The pairing id of the transformer, the steps and the tables."""
        if isinstance(self.transformer, BaseAutoencoder):
            of_model = self.transformer._model.pairing_id
        else:
            of_model = self.transformer.pairing_id_
        parts = of_model.encode(), self.quantizer.as_bytes(), self.tables.as_bytes()
        return hashlib.sha256(b"".join(parts)).hexdigest()[:16]

    def __repr__(self):
        return f"{type(self).__name__}({self.transformer!r})"


class _Encoding(_Coding):
    """Mixin of those that encode."""

    def encode(self, X) -> bytes:
        """Rows as bytes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on.

        Returns
        -------
        data : bytes
            For `decode`, of this codec or of its decoder, on any machine.

        Raises
        ------
        ValueError
            For rows that the transformer does not take, or that are too far away from
            those that the codec was made with.
        """
        refuse_sources(X, "encode", "encode one block after the other")
        codes = np.asarray(self.transformer.transform(X))
        integers = self.quantizer.integers(codes.astype(np.float64))
        return encoded(
            integers, self.tables, codes.dtype == np.float32, self.pairing_id
        )


class _Decoding(_Coding):
    """Mixin of those that decode."""

    def decode(self, data, errors="raise") -> np.ndarray:
        """Rows of bytes.

        Parameters
        ----------
        data : bytes-like
            From `encode`, of this codec or of its encoder.
        errors : {"raise", "nan"}, default="raise"
            What to do if a part of the bytes is damaged or missing: raise, or return
            NaN in the rows that are lost. Bytes of which nothing can be relied on
            raise in any case.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            What the codes kept of the rows, float32 where these were it.

        Raises
        ------
        InvalidFileError
            If the bytes are damaged, of another codec, or something else.
        """
        if errors not in ("raise", "nan"):
            raise ValueError(f"errors={errors!r}, but 'raise' or 'nan' was expected.")
        try:
            data = bytes(memoryview(data))
        except TypeError as error:
            raise TypeError(
                f"decode was given a {type(data).__name__}, but bytes were expected, "
                "as encode returns them."
            ) from error
        contents = _frames.read(data, self.pairing_id)
        lost = [i for i, frame in enumerate(contents.frames) if frame is None]
        if lost and errors == "raise":
            rows = [contents.rows_of(i) for i in lost]
            shown = ", ".join(f"{part.start} to {part.stop - 1}" for part in rows)
            raise InvalidFileError(
                f"The bytes are truncated or damaged: rows {shown} of "
                f"{contents.n_rows} are lost. errors='nan' returns the others."
            )
        width = self.transformer.n_features_in_
        dtype = np.float32 if contents.is_single else np.float64
        X = np.full((contents.n_rows, width), np.nan, dtype)
        for i, frame in enumerate(contents.frames):
            if frame is not None:
                rows = contents.rows_of(i)
                X[rows] = self._rows(frame, rows.stop - rows.start)
        return X

    def _rows(self, frame, n_rows):
        try:
            codes = self.quantizer.codes(self.tables.decode(frame, n_rows))
            return self.transformer.inverse_transform(codes)
        except ValueError as error:
            raise InvalidFileError(
                f"The bytes hold impossible rows: {error}"
            ) from error


@stored(transformer=fitted(Encoder))
class CodecEncoder(_Encoding):
    """The sender's half of a :class:`~skae.Codec`, with `encode` alone.

    Attributes
    ----------
    pairing_id : str
        Sixteen hexadecimal digits that the two halves have in common.
    """


@stored(transformer=fitted(Decoder))
class CodecDecoder(_Decoding):
    """The receiver's half of a :class:`~skae.Codec`, with `decode` alone.

    Attributes
    ----------
    pairing_id : str
        Sixteen hexadecimal digits that the two halves have in common.
    """


@stored(transformer=fitted(BaseAutoencoder), bits=number, error=number)
class Codec(_Encoding, _Decoding):
    """Rows as few bytes: a lossy compressor for one kind of data.

    Codes of a fitted transformer are rounded to steps that are worth the same in each
    component, and the integers written by an entropy coder with tables of how often
    each occurs in `X` [1]_. Whoever has the decoder turns the bytes into rows again.
    Needs the package `constriction`, which the extra 'compression' brings.

    Any transformer will do. Trained with :class:`skae.code_maps.Quantization` its codes
    take less space for the same error; see :doc:`/production`.

    Parameters
    ----------
    transformer : estimator
        A fitted transformer of this package. What becomes of it later does not matter.
    X : array-like of shape (n_samples, n_features)
        Example rows, such as those that the transformer was fitted to. Other rows take
        more bytes and have a larger error as far as the transformer reconstructs them
        less well.
    bits : float, default=None
        Mean number of bits of a row that all bytes of `X` may take. Pass this or
        `error`.
    error : float, default=None
        Mean squared error of the decoded `X`, in squared units of the data. Columns of
        small numbers may be lost in that of others: scale them first.

    Attributes
    ----------
    bits, error : float
        What `X` takes and has: what was asked for, or a little less.
    encoder : CodecEncoder
        The sender's half.
    decoder : CodecDecoder
        The receiver's half.
    pairing_id : str
        Sixteen hexadecimal digits, others for any other model or tables. A decoder
        refuses bytes of another one's encoder.

    Raises
    ------
    TypeError
        If the transformer is none of this package.
    NotFittedError
        If it was not fitted.
    ValueError
        If not one of `bits` and `error` is given, or if `X` does not allow it; the
        message says what is reachable.

    References
    ----------
    .. [1] Bamler, R. (2022). Understanding entropy coding with asymmetric numeral
       systems (ANS): a statistician's perspective. https://arxiv.org/abs/2201.01741

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> import skae
    >>> X = load_digits().data  # 64 pixels from 0 to 16
    >>> autoencoder = skae.AutoencoderTransformer(16, random_state=0).fit(X)
    >>> codec = skae.Codec(autoencoder, X, error=2.0)
    >>> data = codec.encode(X)
    >>> len(data) / len(X) < 10  # bytes of a digit
    True
    >>> bool(((codec.decode(data) - X) ** 2).mean() <= 2.0)
    True
    """

    def __init__(self, transformer, X, *, bits=None, error=None):
        if not isinstance(transformer, BaseAutoencoder):
            raise TypeError(
                f"transformer is a {type(transformer).__name__}, but a fitted "
                "transformer of skae was expected, such as AutoencoderTransformer."
            )
        check_is_fitted(transformer)
        if transformer._columns is not None:
            raise TypeError(
                f"This {type(transformer).__name__} was fitted to a table with "
                "categories or dates, but a codec takes rows of numbers alone."
            )
        refuse_sources(X, "Codec", "pass some rows, which stand for the others")
        transformer = copy(transformer)  # its next fit makes another model
        codes = np.asarray(transformer.transform(X)).astype(np.float64)
        X, decode = transformer._checked(X), transformer.inverse_transform
        quantizer, tables, self.bits, self.error = chosen(codes, decode, X, bits, error)
        super().__init__(transformer, quantizer, tables, "")
        self.pairing_id = self._digest()

    @property
    def encoder(self) -> CodecEncoder:
        return self._half(CodecEncoder, Encoder)

    @property
    def decoder(self) -> CodecDecoder:
        return self._half(CodecDecoder, Decoder)

    def _half(self, cls, of):
        half = of.of(self.transformer)
        return cls(half, self.quantizer, self.tables, self.pairing_id)
