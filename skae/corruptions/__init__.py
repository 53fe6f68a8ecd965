"""Corruptions: what is done to the rows that a denoising autoencoder reads."""

from skae.corruptions._corruption import Corruption, LevelCorruption
from skae.corruptions._noises import (
    Gaussian,
    Masking,
    Missing,
    NoisyMasking,
    SaltAndPepper,
    Swap,
)

__all__ = [
    "Corruption",
    "Gaussian",
    "LevelCorruption",
    "Masking",
    "Missing",
    "NoisyMasking",
    "SaltAndPepper",
    "Swap",
]
