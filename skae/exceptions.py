"""Errors that are raised at users, to be caught by name."""

__all__ = ["DivergenceError", "InvalidFileError"]


class DivergenceError(ValueError):
    """Training left the finite numbers, or any sensible range of the loss."""


class InvalidFileError(ValueError):
    """What was read is no file of this package, damaged, or not as it was written."""
