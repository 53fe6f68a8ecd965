"""Where to compute: the device that a name stands for."""

import torch


def training_device(name):
    """Name of the device to train on; "auto" is a GPU where there is one.

    Raises
    ------
    ValueError
        If torch does not know the device, or has none of its kind here.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"device={name!r} cannot be used here ({reason}): use device='auto' or "
            "device='cpu'."
        ) from error
    return name


def inference_device(name):
    """As for training; but a model fitted elsewhere runs on the CPU if need be."""
    try:
        return training_device(name)
    except ValueError:
        return "cpu"
