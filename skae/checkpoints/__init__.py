"""Fits that go on after a crash: where they stand, in files."""

from skae.checkpoints._folder import Checkpoints

__all__ = ["Checkpoints"]
