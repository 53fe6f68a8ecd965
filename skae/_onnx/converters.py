"""Estimators as parts of the graphs that skl2onnx makes of Pipelines."""

import torch
from onnx import TensorProto, compose
from skl2onnx.common._apply_operation import apply_cast, apply_concat, apply_identity
from skl2onnx.common.data_types import (
    DoubleTensorType,
    Int64TensorType,
    guess_tensor_type,
)

from skae._onnx.graph import graph_of
from skae._onnx.modules import part_of


def parser(estimator):
    """What declares an estimator's outputs.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    declare : callable
        ``declare(scope, inputs)`` returns variables.
    """

    def declare(scope, inputs):
        types = _types(estimator, inputs)
        return [scope.declare_local_variable(name, types[name]) for name in types]

    return declare


def set_shapes(operator):
    """Set types and shapes of an operator's outputs.

    Parameters
    ----------
    operator : skl2onnx.common._topology.Operator
    """
    types = _types(operator.raw_operator, operator.inputs)
    for output, kind in zip(operator.outputs, types.values(), strict=True):
        output.type = kind


def convert(scope, operator, container):
    """Add an estimator to the graph of a Pipeline.

    Parameters
    ----------
    scope : skl2onnx.common._topology.Scope
    operator : skl2onnx.common._topology.Operator
    container : skl2onnx.common._container.ModelComponentContainer
    """
    _, part = part_of(operator.raw_operator)
    is_double = isinstance(operator.inputs[0].type, DoubleTensorType)
    dtype = torch.float64 if is_double else torch.float32
    model = graph_of(part, dtype, container.target_opset_onnx)
    # Names are unique once they begin with one that is.
    prefix = scope.get_unique_variable_name("skae") + "/"
    graph = compose.add_prefix(model, prefix).graph
    # Columns may come one by one, and of several types.
    columns = []
    for variable in operator.inputs:
        columns.append(scope.get_unique_variable_name("skae_column"))
        to = TensorProto.DOUBLE if is_double else TensorProto.FLOAT
        apply_cast(scope, variable.onnx_name, columns[-1], container, to=to)
    apply_concat(scope, columns, graph.input[0].name, container, axis=1)
    container.nodes.extend(graph.node)
    container.initializers.extend(graph.initializer)
    for entry in model.opset_import:
        container.node_domain_version_pair_sets.add((entry.domain, entry.version))
    for inner, outer in zip(graph.output, operator.outputs, strict=True):
        apply_identity(scope, inner.name, outer.onnx_name, container)


def _types(estimator, inputs):
    """Type and shape of each output, by name."""
    n_rows = inputs[0].get_first_dimension()
    number = type(guess_tensor_type(inputs[0].type))
    kinds = {
        "codes": lambda: number([n_rows, estimator.n_components_]),
        "X": lambda: number([n_rows, estimator.n_features_in_]),
        "X_filled": lambda: number([n_rows, len(estimator.get_feature_names_out())]),
        "scores": lambda: number([n_rows]),
        "label": lambda: Int64TensorType([n_rows]),
    }
    return {name: kinds[name]() for name in part_of(estimator)[1].output_names}
