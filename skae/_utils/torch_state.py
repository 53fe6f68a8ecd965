"""What a caller may have set in torch, and what must not reach into results."""

from contextlib import ExitStack, contextmanager

import torch


@contextmanager
def undisturbed(device="cpu"):
    """A context free of inference mode, automatic casts and another default device.

    In inference mode, dispatch modes see no single products; an automatic cast would
    compute in half precision.

    Parameters
    ----------
    device : str, default="cpu"
        Whose automatic casts are switched off.
    """
    with ExitStack() as stack:
        # Left out where it changes nothing: what Ctrl-C keeps it from undoing stays.
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(mode=False))
        kind = torch.device(device).type
        if torch.is_autocast_enabled(kind):
            stack.enter_context(torch.autocast(kind, enabled=False))
        # The context would slow down every call, where it changes nothing.
        if torch.empty(0).device.type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield


def cloned_state(module):
    """A module's weights as tensors that share no memory with them."""
    return {name: value.clone() for name, value in module.state_dict().items()}


def as_arrays(tensors):
    """A dict of tensors as one of arrays that share no memory with them."""
    return {
        name: value.detach().cpu().numpy().copy() for name, value in tensors.items()
    }


def as_tensors(arrays):
    """A dict of arrays as one of tensors that share no memory with them."""
    return {name: torch.tensor(value) for name, value in arrays.items()}


def state_of(optimizer):
    """An optimiser's state as arrays, by the number and name of each entry."""
    state = optimizer.state_dict()["state"]
    return {index: as_arrays(entries) for index, entries in state.items()}


def set_state(optimizer, state, groups=None):
    """Give an optimiser the state that :func:`state_of` returned.

    Parameters
    ----------
    optimizer : Optimizer
    state : dict of int to dict of str to ndarray
    groups : list of dict, default=None
        Learning rates and the like; None are those that it has.
    """
    state = {index: as_tensors(entries) for index, entries in state.items()}
    if groups is None:
        groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
