"""Detection of outliers: rows that are unusual, times that are, and why."""

from skae.detection._outlier import AutoencoderOutlierDetector
from skae.detection._watch import WindowedDetector
from skae.detection._windows import align_to_times, cut_windows

__all__ = [
    "AutoencoderOutlierDetector",
    "WindowedDetector",
    "align_to_times",
    "cut_windows",
]
