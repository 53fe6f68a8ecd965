"""Losses: what an autoencoder minimises, and how its raw output becomes data."""

from skae.losses._losses import AbsoluteError, Huber, LogLoss, Loss, SquaredError

__all__ = ["AbsoluteError", "Huber", "LogLoss", "Loss", "SquaredError"]
