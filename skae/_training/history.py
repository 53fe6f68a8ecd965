"""What is recorded of a training, as plain values."""

from numbers import Number

import numpy as np
import torch


def plain(row):
    """What was recorded in an epoch as plain values, without its batches."""
    return {name: _plain_value(v) for name, v in row.items() if name != "batches"}


def _plain_value(value):
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.generic) or (
        isinstance(value, np.ndarray) and value.ndim == 0
    ):
        return value.item()
    if isinstance(value, Number | str | np.ndarray | None):
        return value
    if isinstance(value, list | tuple):
        return [_plain_value(part) for part in value]
    if isinstance(value, dict):
        return {str(name): _plain_value(part) for name, part in value.items()}
    return repr(value)


def record(history, rows):
    """Add epochs to a history of skorch's, by what was recorded in each."""
    for row in rows:
        history.new_epoch()
        for name, value in row.items():
            history.record(name, value)
