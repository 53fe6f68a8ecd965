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
