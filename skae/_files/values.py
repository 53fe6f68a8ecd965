"""Objects as a tree of plain values and arrays, and back."""

import inspect
import re
from numbers import Integral, Real

import numpy as np

from skae._files.random_state import random_state
from skae._utils.checks import not_required
from skae._utils.stored import TABLE, is_stored, stored_state
from skae.exceptions import InvalidFileError

# Objects in a file: a fitted detector has some dozens.
_MOST_OBJECTS = 10_000
_NOT_FINITE = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}


class NotStoredError(TypeError):
    """A value that no file can hold."""


class Writer:
    """Turns values into a tree, and keeps the arrays of which it holds the names.

    Attributes
    ----------
    arrays : dict of str to ndarray
    """

    def __init__(self):
        self.arrays = {}
        # The parameter that the object being written was made of, if users wrote it.
        self._made_of = None

    def node(self, value, path="", above=""):
        """What stands for a value in the tree.

        Parameters
        ----------
        value : object
        path : str
            Where it is, for the names of arrays and for errors.
        above : str
            What stands before the names of parameters, with double underscores.
        """
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | str):
            return value
        if hasattr(value, "__fspath__"):
            return value.__fspath__()
        if isinstance(value, Integral):
            return int(value)
        if isinstance(value, Real):
            number = float(value)
            return number if np.isfinite(number) else {"float": repr(number)}
        if isinstance(value, list):
            return self._nodes(value, path, above)
        if isinstance(value, tuple):
            return {"tuple": self._nodes(value, path, above)}
        if isinstance(value, dict):
            return self._dict(value, path, above)
        if isinstance(value, np.ndarray):
            return self._array(value, path)
        if isinstance(value, np.random.RandomState):
            state = self.node(value.get_state(legacy=False), path)
            return {"class": "RandomState", "state": state}
        return self._object(value, path, above)

    def _nodes(self, values, path, above):
        return [self.node(v, f"{path}.{i}", above) for i, v in enumerate(values)]

    def _dict(self, value, path, above):
        nodes = {k: self.node(v, f"{path}.{k}", above) for k, v in value.items()}
        if all(isinstance(name, str) for name in nodes):
            return {"dict": nodes}
        return {"items": [[self.node(k, path), v] for k, v in nodes.items()]}

    def _array(self, value, path):
        if value.dtype.kind in "OU" and value.ndim == 1:
            texts = value.tolist()
            if all(isinstance(text, str) for text in texts):
                return {"strings": texts}
        if value.dtype.kind not in "biuf" or value.dtype.itemsize > 8:
            raise NotStoredError(f"{path} is an array of {value.dtype}")
        name = base = re.sub(r"[^\w.-]", "_", path, flags=re.ASCII).strip(".")
        while name in self.arrays:
            name = f"{base}.{len(self.arrays)}"
        self.arrays[name] = value
        return {"array": name}

    def _object(self, value, path, above):
        if not is_stored(type(value)):
            kind = type(value).__qualname__
            if not path:
                raise NotStoredError(f"{kind} is a class of your own")
            raise NotStoredError(f"{path.strip('.')} holds a {kind}")
        entry = TABLE[type(value).__name__]
        if hasattr(value, "_validate_params"):
            value._validate_params()  # what was set since a fit is to load again
        node = {"class": type(value).__name__}
        # What has parameters alone is made by them, whatever else it keeps.
        state = {} if entry.parameters and not entry.fields else stored_state(value)
        parameters = {name: getattr(value, name) for name in entry.parameters}
        if parameters:
            node["parameters"] = {
                name: self._parameter(
                    parameter,
                    f"{path}.{name}",
                    above + entry.prefixes.get(name, f"{name}__"),
                    above + name,
                )
                for name, parameter in parameters.items()
            }
        node["state"] = {}
        for name, part in state.items():
            if name in parameters:
                continue
            if name not in entry.fields:
                raise NotStoredError(f"it has an attribute {name!r} of your own")
            file_name = name.lstrip("_")
            place, inner = f"{path}.{file_name}", above + entry.prefixes.get(name, "")
            if name in entry.given:
                given = self._made_of = above + entry.given[name]
                node["state"][file_name] = self._node_or_name(part, place, inner, given)
                self._made_of = None
            else:
                node["state"][file_name] = self.node(part, place, inner)
        return node

    def _parameter(self, value, path, above, given):
        # Objects that were put around what users passed hold it in parameters.
        if self._made_of is None:
            return self._node_or_name(value, path, above, given)
        if isinstance(value, list):
            return [self._parameter(part, path, above, given) for part in value]
        return self._node_or_name(value, path, above, self._made_of)

    def _node_or_name(self, value, path, above, given):
        """The node of a value, or a name if it is what users wrote."""
        known = list(self.arrays)
        try:
            return self.node(value, path, above)
        except NotStoredError:
            self.arrays = {name: self.arrays[name] for name in known}
            return {"given": given, "kind": kind_of(value)}


class Reader:
    """Turns a tree into values, of the classes in the table alone.

    Parameters
    ----------
    arrays : dict of str to ndarray
        Each is to be used once.
    given : dict of str to object
        What stands for objects that are not in the file.
    """

    def __init__(self, arrays, given):
        self.arrays = dict(arrays)
        self.given = given
        self._n_objects = 0

    def whole(self, node):
        """The value of a tree that uses all arrays.

        Raises
        ------
        InvalidFileError
        """
        try:
            value = self.value(node)
        except RecursionError as error:
            raise InvalidFileError("The file's content is nested too deep.") from error
        if self.arrays:
            raise InvalidFileError(f"Nothing uses the arrays {sorted(self.arrays)}.")
        return value

    def value(self, node):
        if isinstance(node, list):
            return [self.value(part) for part in node]
        if not isinstance(node, dict):
            return node
        if "class" in node:
            return self._object(**_fields(node, "class", "parameters", "state"))
        if "given" in node:
            name = _typed(node["given"], str)
            if name not in self.given:
                raise InvalidFileError(f"The file lacks {name!r} in an odd place.")
            return self.given[name]
        if len(node) != 1:
            raise InvalidFileError(f"The file has a node of {sorted(node)}.")
        ((tag, content),) = node.items()
        if tag not in _TAGS:
            raise InvalidFileError(f"The file has a node of kind {tag!r}.")
        return _TAGS[tag](self, content)

    def _tuple(self, content):
        return tuple(self.value(part) for part in _typed(content, list))

    def _dict(self, content):
        return {k: self.value(v) for k, v in _typed(content, dict).items()}

    def _items(self, content):
        pairs = [self.value(pair) for pair in _typed(content, list)]
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            raise InvalidFileError("The file has items that are no pairs.")
        if not all(isinstance(key, int | str) for key, _ in pairs):
            raise InvalidFileError("The file has items with impossible keys.")
        return dict(pairs)

    def _array(self, content):
        name = _typed(content, str)
        if name not in self.arrays:
            raise InvalidFileError(f"The file has no array {name!r}, or uses it twice.")
        return self.arrays.pop(name)

    def _strings(self, content):
        if not all(isinstance(text, str) for text in _typed(content, list)):
            raise InvalidFileError("The file has texts that are none.")
        return np.array(content, object)

    def _float(self, content):
        if _typed(content, str) not in _NOT_FINITE:
            raise InvalidFileError(f"The file has a number {content!r}.")
        return _NOT_FINITE[content]

    def _object(self, name, parameters, state):
        self._n_objects += 1
        if self._n_objects > _MOST_OBJECTS:
            raise InvalidFileError(f"The file has more than {_MOST_OBJECTS} objects.")
        if name == "RandomState":
            return random_state(self.value(state))
        if not isinstance(name, str) or name not in TABLE:
            raise InvalidFileError(
                f"The file has an object of the class {name!r}, which this version of "
                "skae does not know."
            )
        entry = TABLE[name]
        nodes = _typed(state or {}, dict)
        state = {k: self.value(node) for k, node in nodes.items()}
        is_given = {k for k, v in nodes.items() if isinstance(v, dict) and "given" in v}
        parameters = _typed(parameters or {}, dict)
        parameters = {k: self.value(v) for k, v in parameters.items()}
        try:
            return _made(entry, parameters, state, is_given)
        except (TypeError, ValueError, OverflowError) as error:
            message = f"The file's {name} is not valid: {error}"
            raise InvalidFileError(message) from error


_TAGS = {
    "tuple": Reader._tuple,
    "dict": Reader._dict,
    "items": Reader._items,
    "array": Reader._array,
    "strings": Reader._strings,
    "float": Reader._float,
}


def given_names(node):
    """Names and kinds of all that is to be given, in a tree."""
    if isinstance(node, list):
        return {k: v for part in node for k, v in given_names(part).items()}
    if not isinstance(node, dict):
        return {}
    if "given" in node:
        return {str(node["given"]): str(node.get("kind"))}
    if "class" in node:
        parts = [node.get(name) for name in ("parameters", "state")]
    else:
        parts = [node.get("dict")]
    groups = [list(part.values()) for part in parts if isinstance(part, dict)]
    return given_names([*groups, node.get("tuple"), node.get("items")])


def kind_of(value):
    value = getattr(value, "function", value)  # that a part stands for
    has_name = inspect.isroutine(value) or isinstance(value, type)
    return (value if has_name else type(value)).__qualname__


def _made(entry, parameters, state, is_given):
    """An object of a class of the table, checked.

    Parameters
    ----------
    entry : Stored
    parameters, state : dict of str to object
    is_given : set of str
        Names in the state of what was passed by the caller.
    """
    cls = entry.cls
    unknown = set(parameters) - set(entry.parameters)
    if unknown:
        raise ValueError(f"it has no parameters {sorted(unknown)}.")
    made = cls(**parameters) if entry.parameters else object.__new__(cls)
    if hasattr(made, "_validate_params"):
        made._validate_params()
    names = {name.lstrip("_"): name for name in entry.fields}
    required = {n for n, name in names.items() if not _may_miss(entry.fields[name])}
    # Of an estimator that is not fitted there may be parameters alone.
    missing = required - set(state)
    is_unfitted = missing == required and entry.parameters
    if missing and not is_unfitted:
        raise ValueError(f"it lacks {sorted(missing)}.")
    for name, value in state.items():
        if name not in names:
            raise ValueError(f"it has no attribute {name!r}.")
        if name in is_given and names[name] in entry.given:
            continue
        if not entry.fields[names[name]](value):
            raise ValueError(f"its {name} is not possible.")
    state = {names[name]: value for name, value in state.items()}
    if hasattr(made, "__setstate__"):
        made.__setstate__({**vars(made), **state})
    else:
        vars(made).update(state)
    if hasattr(made, "_check_loaded"):
        made._check_loaded()
    return made


def _may_miss(check):
    return isinstance(check, not_required)


def _typed(value, kind):
    if not isinstance(value, kind):
        raise InvalidFileError(
            f"The file has a {type(value).__name__} where a {kind.__name__} belongs."
        )
    return value


def _fields(node, *names):
    """Values of a node with no other names than these; the first must be there."""
    if not set(node) <= set(names):
        raise InvalidFileError(f"The file has a node of {sorted(node)}.")
    return dict(zip(("name", *names[1:]), map(node.get, names), strict=True))
