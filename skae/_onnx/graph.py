"""Torch modules as ONNX graphs, without a word and without a trace of this machine."""

import io
import logging
import re
import threading
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from numbers import Integral
from typing import TypeVar

import torch

from skae._utils.torch_state import undisturbed

# The first with Gelu. Runtimes that know it are older than those that can read the
# version of the file format that PyTorch writes.
DEFAULT_OPSET = 20
# Below it PyTorch has no translations.
_LEAST_OPSET = 18
_LEAST_TORCH = (2, 9)
# What protobuf holds, less some room for the nodes.
_MOST_BYTES = 2**31 - 2**24
# What says something while a module is exported.
_LOGGERS = "torch", "onnxscript", "onnx_ir"
_LOCK = threading.RLock()


def graph_of(part, dtype, opset):
    """A part of an estimator as an ONNX model for any number of rows.

    Parameters
    ----------
    part : Part
    dtype : torch.dtype
        Of the rows.
    opset : int
        Version of the operators.

    Returns
    -------
    model : onnx.ModelProto

    Raises
    ------
    ImportError
        If a package is missing or too old.
    ValueError
        If the opset is not available, the weights are too many for one file, or the
        module does what ONNX has no operations for.
    """
    _check_packages()
    _check_opset(opset)
    with undisturbed():
        module = part.make().eval()
    _check_size(module)
    # A row more than two, which are not taken for a constant of the network.
    rows = torch.zeros(3, part.n_columns, dtype=dtype)
    shapes = ({0: torch.export.Dim("n_samples")},)
    with _quiet(), undisturbed(), torch.no_grad():
        try:
            program = torch.export.export(
                module, (rows,), dynamic_shapes=shapes, strict=False
            )
        except MemoryError:
            raise
        except Exception as error:  # of many classes, most of them private
            raise ValueError(
                "PyTorch cannot write down what the network does as one graph for any "
                f"number of rows: {_first_line(error)} Networks to be exported take "
                "no decisions by the values of rows, and no number of rows as given."
            ) from error
        try:
            model = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=opset,
                input_names=[part.input_name],
                output_names=list(part.output_names),
                custom_translation_table=_translations(),
                verbose=False,
            ).model_proto
        except torch.onnx.OnnxExporterError as error:
            raise ValueError(
                f"The network uses {_operation(error)}, for which ONNX has no "
                "operation: write it with others to export it."
            ) from error
    _strip(model)
    _check_written_opset(model, opset)
    return model


@contextmanager
def _quiet():
    """A context in which PyTorch says nothing of what it does meanwhile.

    What it changes for that belongs to the process: one thread at a time is in it.
    """
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    with (
        _LOCK,
        warnings.catch_warnings(),
        redirect_stdout(io.StringIO()),
        redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.CRITICAL + 1)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _translations():
    """Operations whose translation by PyTorch loses what matters."""
    from onnxscript import DOUBLE, FLOAT, opset18

    Number = TypeVar("Number", FLOAT, DOUBLE)

    def log_sigmoid(self: Number) -> Number:  # with the operation's own name
        # The logarithm of the logistic function would underflow.
        return opset18.Neg(opset18.Softplus(opset18.Neg(self)))

    return {torch.ops.aten.log_sigmoid.default: log_sigmoid}


def _check_packages():
    for name in ("onnx", "onnxscript"):
        try:
            import_module(name)
        except ImportError as error:
            raise ImportError(
                f"Export to ONNX needs {name}: install the extra 'onnx' of skae, or "
                "onnx, onnxscript and skl2onnx."
            ) from error
    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if version < _LEAST_TORCH:
        least = ".".join(map(str, _LEAST_TORCH))
        raise ImportError(
            f"Export to ONNX needs PyTorch {least} or newer, but {torch.__version__} "
            "is installed."
        )


def _check_opset(opset):
    from onnx.defs import onnx_opset_version

    if not isinstance(opset, Integral) or not (
        _LEAST_OPSET <= opset <= onnx_opset_version()
    ):
        raise ValueError(
            f"opset={opset!r}, but PyTorch and the installed onnx write those from "
            f"{_LEAST_OPSET} to {onnx_opset_version()}."
        )


def _check_written_opset(model, opset):
    written = {entry.domain: entry.version for entry in model.opset_import}
    if written[""] != opset:
        raise ValueError(
            f"opset={opset}, but PyTorch {torch.__version__} could only write "
            f"{written['']}: ask for that one, or use a newer PyTorch."
        )


def _check_size(module):
    n_bytes = sum(tensor.nbytes for tensor in module.state_dict().values())
    if n_bytes > _MOST_BYTES:
        raise ValueError(
            f"The weights take {n_bytes / 2**30:.3g} GiB, but a file of ONNX holds 2 "
            "GiB, and weights beside it, which can lead to other files, are not "
            "written: use a smaller network, or export encoder and decoder apart."
        )


def _strip(model):
    """Remove what PyTorch notes of the code that it read: files, lines and names."""
    model.ClearField("metadata_props")
    for function in model.functions:
        _strip_entries(function, *function.node)
    _strip_graph(model.graph)


def _strip_graph(graph):
    values = *graph.input, *graph.output, *graph.value_info
    _strip_entries(graph, *graph.initializer, *values, *graph.node)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):  # a branch or the inside of a loop
                _strip_graph(attribute.g)


def _strip_entries(*entries):
    for entry in entries:
        entry.ClearField("metadata_props")
        entry.ClearField("doc_string")


def _operation(error):
    """What an error of the exporter says could not be translated."""
    texts = []
    while error is not None:
        texts.append(str(error))
        error = error.__cause__
    found = re.search(r"op='([\w.]+)'|target=([\w.]+)", "\n".join(texts[::-1]))
    return found[1] or found[2] if found else f"something ({_first_line(texts[-1])})"


def _first_line(error):
    """The first line of an error's text, as a sentence."""
    return next(iter(str(error).strip().splitlines()), "?").rstrip(".") + "."
