"""Warnings that point at the user's line."""

import os
import sys
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from pathlib import Path

_PACKAGE = __name__.partition(".")[0]
_PASSED_THROUGH = (_PACKAGE, "sklearn", "skorch", "torch", "joblib")


# Warnings that are kept for another process, in this context.
_KEPT: ContextVar = ContextVar("kept", default=None)


@contextmanager
def kept_warnings():
    """A context whose warnings are kept, to be given where they are heard.

    Yields
    ------
    kept : list of (str, type)
        What :func:`warn` is to be called with.
    """
    token = _KEPT.set([])
    try:
        yield _KEPT.get()
    finally:
        _KEPT.reset(token)


def _folders():
    for name in _PASSED_THROUGH:
        yield str(Path(find_spec(name).origin).parent) + os.sep
    yield find_spec("contextlib").origin


def warn(message, category=UserWarning):
    """Warn at the innermost line that is not of this package or of one it stands on.

    Parameters
    ----------
    message : str
    category : type of Warning, default=UserWarning
    """
    kept = _KEPT.get()
    if kept is not None:
        kept.append((message, category))
        return
    passed_through = tuple(_folders())
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_code.co_filename.startswith(passed_through):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
