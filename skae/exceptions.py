"""Errors that are raised at users, to be caught by name."""

__all__ = ["DivergenceError"]


class DivergenceError(ValueError):
    """Training left the finite numbers, or any sensible range of the loss."""
