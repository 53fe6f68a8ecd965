"""Nodes of a file's tree, each of them checked when it is read."""

from math import isfinite
from typing import NamedTuple

from skae.exceptions import InvalidFileError


class Node(NamedTuple):
    """An object: the name of its class, its parameters and its state."""

    name: str
    parameters: dict
    state: dict


def node_of(node, *known):
    """An object's node, of one of the known classes.

    Raises
    ------
    InvalidFileError
        If it is none.
    TypeError
        If it is one of another class, or of users' own.
    """
    expect(isinstance(node, dict), "object")
    refuse_own(node)
    name = node.get("class")
    expect(isinstance(name, str), "class")
    if name not in known:
        raise needs_torch(f"the class {name[:80]}, where {', '.join(known)} are known")
    parameters, state = (node.get(key) or {} for key in ("parameters", "state"))
    expect(isinstance(parameters, dict) and isinstance(state, dict), name)
    return Node(name, parameters, state)


def refuse_own(node):
    """Raise TypeError for what users wrote, which files do not hold."""
    if isinstance(node, dict) and "given" in node:
        name, kind = (str(node.get(key))[:80] for key in ("given", "kind"))
        raise needs_torch(f"a {name} of your own ({kind})")


def needs_torch(what):
    """The error for what is not computed here."""
    return TypeError(
        f"Inference without PyTorch does not compute {what}. With PyTorch, skae.load "
        "reads the file; skae.to_onnx writes transformers and detectors of rows for "
        "ONNX Runtime."
    )


def part_of(fields, name):
    """What a node holds under a name."""
    expect(name in fields, name)
    return fields[name]


def tagged(node, tag, kind):
    """The value of a node such as {"tuple": [...]}."""
    expect(isinstance(node, dict) and isinstance(node.get(tag), kind), tag)
    return node[tag]


def array_of(arrays, node, n_dimensions, dtype=None):
    """The array that a node names, if it is of a kind."""
    name = tagged(node, "array", str)
    found = arrays.get(name)
    expect(found is not None and found.ndim == n_dimensions, f"array {name!r}")
    expect(dtype is None or found.dtype == dtype, f"dtype of {name!r}")
    return found


def count(value):
    expect(type(value) is int and 0 < value < 2**53, "positive integer")
    return value


def number(value):
    is_number = type(value) is float or (type(value) is int and abs(value) < 2**53)
    expect(is_number and isfinite(value), "number")
    return float(value)


def truth(value):
    expect(isinstance(value, bool), "truth value")
    return value


def expect(is_so, what):
    """Raise InvalidFileError for something that is not so."""
    if not is_so:
        raise InvalidFileError(
            f"The file's content lacks a valid {what}: it is not what skae has written."
        )
