"""Fitted estimators as files of ONNX."""

import json
from typing import TYPE_CHECKING

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from skae._files.container import write_atomically
from skae._onnx.graph import DEFAULT_OPSET, graph_of
from skae._onnx.hooks import OnnxConvertible
from skae._onnx.modules import part_of
from skae._version import __version__

if TYPE_CHECKING:
    import os

    from numpy.typing import DTypeLike
    from onnx import ModelProto

_DTYPES = {np.dtype(np.float32): torch.float32, np.dtype(np.float64): torch.float64}
_SKL2ONNX = "skl2onnx.to_onnx(pipeline, X[:1].astype(numpy.float32))."


def to_onnx(
    estimator: object,
    path: "str | os.PathLike[str] | None" = None,
    part: str | None = None,
    *,
    dtype: "DTypeLike" = np.float32,
    opset: int = DEFAULT_OPSET,
) -> "ModelProto":
    """Write a fitted estimator as ONNX, to be run without this package and PyTorch.

    The graph takes any number of rows in the units of the data, such as
    ``{"X": rows}``. Numbers are those of the estimator but for rounding. Rows are not
    checked. NaN stands for missing cells, if the estimator was trained with such, and
    otherwise gives missing values. A detector's label may be the other one where a
    score equals the threshold but for rounding.

    Pipelines are converted by skl2onnx, which asks the estimators of this package for
    what it needs: ``skl2onnx.to_onnx(pipeline, X[:1])``. There, transformers are their
    encoders.

    Parameters
    ----------
    estimator : estimator
        A fitted transformer, what :func:`skae.load` made of a half of one, a fitted
        :class:`skae.AutoencoderImputer`, or a fitted
        :class:`skae.AutoencoderOutlierDetector`; of arrays, or of tables of numbers.
    path : str or PathLike, default=None
        Of the file, which is replaced in one step, once all is written. None writes
        none.
    part : {"encoder", "decoder", "reconstruct", "score", "impute"}, default=None
        What the graph computes. "encoder" is `transform`, from "X" to "codes";
        "decoder" is `inverse_transform`, from "codes" to "X"; "reconstruct" goes from
        "X" to "X_reconstructed"; "score" is `score_samples`, from "X" to "scores". A
        detector has "score" only, with `predict` as a second output, "label", and an
        imputer "impute", from "X" to "X_filled". None is the one that they have, and
        "encoder" for others.
    dtype : {float32, float64}, default=float32
        Of the rows that the graph takes, and of what it returns. Networks compute in
        float32 and what is around them in float64, whatever it is.
    opset : int, default=20
        Version of ONNX's operators, from 18. That of the default is the first with
        GELU; onnxruntime has it since 1.17.

    Returns
    -------
    model : onnx.ModelProto
        What was written, with all weights in it. Its `metadata_props` are `class`,
        `skae_version`, `part`, and lists in JSON: `feature_names_in` and
        `feature_names_out`.

    Raises
    ------
    ImportError
        If onnx or onnxscript are missing, or PyTorch is older than 2.9.
    NotFittedError
        If the estimator was not fitted.
    TypeError
        If it is none of this package's, or none that is exported: of a
        :class:`skae.detection.WindowedDetector` export its `detector_`. If it was
        fitted to a table with categories or dates.
    ValueError
        If it has no such part; if a network of one's own does what ONNX has no
        operation for; if the weights take more than the 2 GiB of a file.

    Examples
    --------
    >>> import skae
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data
    >>> autoencoder = skae.AutoencoderTransformer(4, max_iter=2).fit(X)
    >>> model = skae.to_onnx(autoencoder)
    >>> [output.name for output in model.graph.output]
    ['codes']
    """
    if not isinstance(estimator, OnnxConvertible):
        raise TypeError(_not_converted(estimator))
    check_is_fitted(estimator)
    dtype = np.dtype(dtype)
    if dtype not in _DTYPES:
        raise ValueError(f"dtype={dtype.name!r}, but float32 or float64 was expected.")
    name, chosen = part_of(estimator, part)
    model = graph_of(chosen, _DTYPES[dtype], opset)
    _describe(model, estimator, name)
    if path is not None:
        write_atomically(path, model.SerializeToString(deterministic=True))
    return model


def _describe(model, estimator, part):
    """Add to a model what it was made of."""
    from onnx.helper import set_model_props

    cls = type(getattr(estimator, "transformer", estimator))  # of which it is a half
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        names = [f"x{i}" for i in range(estimator.n_features_in_)]
    properties = {
        "class": f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}",
        "skae_version": __version__,
        "part": part,
        "feature_names_in": json.dumps(list(names)),
    }
    if hasattr(estimator, "get_feature_names_out"):
        codes = estimator.get_feature_names_out()
        properties["feature_names_out"] = json.dumps(list(codes))
    set_model_props(model, properties)


def _not_converted(estimator):
    name = type(estimator).__name__
    if hasattr(estimator, "steps"):
        advice = f"skl2onnx.to_onnx converts it, with all its steps: {_SKL2ONNX}"
    elif hasattr(estimator, "detector"):
        advice = (
            "export its detector_, and feed it windows (skae.detection.cut_windows) of "
            "sensors that are scaled by its mean_ and scale_."
        )
    else:
        advice = "a transformer or an AutoencoderOutlierDetector was expected."
    return f"{name} is not exported by skae.to_onnx: {advice}"
