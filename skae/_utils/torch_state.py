"""What a caller may have set in torch, and what must not reach into results."""

from contextlib import ExitStack, contextmanager

import torch


@contextmanager
def undisturbed(device="cpu"):
    """A context without the caller's inference mode and automatic casts.

    In inference mode, dispatch modes see no single products; an automatic cast would
    compute in half precision.

    Parameters
    ----------
    device : str, default="cpu"
        Whose automatic casts are switched off.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        kind = torch.device(device).type
        if torch.is_autocast_enabled(kind):
            stack.enter_context(torch.autocast(kind, enabled=False))
        yield
