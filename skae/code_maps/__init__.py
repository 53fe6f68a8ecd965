"""Code maps: what codes pass through, to be sparse, bounded or random."""

from skae.code_maps._code_map import CodeMap
from skae.code_maps._others import GaussianCode, Quantization, Sigmoid
from skae.code_maps._refinement import Refinement
from skae.code_maps._sparse import SoftThreshold, TopK

__all__ = [
    "CodeMap",
    "GaussianCode",
    "Quantization",
    "Refinement",
    "Sigmoid",
    "SoftThreshold",
    "TopK",
]
