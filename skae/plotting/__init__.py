"""Pictures: what was learned, what was lost, and what is unusual, by matplotlib."""

from skae.plotting._alarms import AlarmDisplay
from skae.plotting._code_size import CodeSizeDisplay
from skae.plotting._codes import CodeDisplay
from skae.plotting._components import ComponentDisplay
from skae.plotting._loss_curve import LossCurveDisplay
from skae.plotting._reasons import ReasonDisplay
from skae.plotting._reconstruction import ReconstructionDisplay

__all__ = [
    "AlarmDisplay",
    "CodeDisplay",
    "CodeSizeDisplay",
    "ComponentDisplay",
    "LossCurveDisplay",
    "ReasonDisplay",
    "ReconstructionDisplay",
]
