"""Networks: what is trained, a module with ``encode`` and ``decode``."""

from skae._codes import Bounded, GaussianCode, SoftThreshold, TopK
from skae._convolutional import Convolutional
from skae._halves import EncoderDecoder, LinearPath
from skae._mlp import MLP

__all__ = [
    "MLP",
    "Bounded",
    "Convolutional",
    "EncoderDecoder",
    "GaussianCode",
    "LinearPath",
    "SoftThreshold",
    "TopK",
]
