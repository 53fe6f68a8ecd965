"""Where a training stands at the end of an epoch, as arrays and plain values."""

import torch

from skae._training.history import plain, record
from skae._utils.torch_state import as_arrays, set_state, state_of

# Of the schedule: what follows from its parameters is left out.
_OF_SCHEDULE = "last_epoch", "_step_count", "_last_lr"


def state_of_training(net, has_stopped):
    """Where a net's training stands.

    Parameters
    ----------
    net : AutoencoderNet
        At the end of an epoch.
    has_stopped : bool
        Whether the training ended before its last epoch.

    Returns
    -------
    state : dict
    """
    own, others = _callbacks(net)
    groups = net.optimizer_.state_dict()["param_groups"]
    state = {
        "has_stopped": has_stopped,
        "history": [plain(row) for row in net.history],
        "module": as_arrays(_whole_state(net.module_)),
        "optimizer": state_of(net.optimizer_),
        "groups": groups,
        "generators": [g.get_state().numpy() for g in net.generators],
        "best_epoch": own["best_epoch"].state_dict(),
        "callbacks": [callback.state_dict() for callback in others],
    }
    if "schedule" in own:
        schedule = own["schedule"].lr_scheduler_.state_dict()
        state["schedule"] = {name: schedule[name] for name in _OF_SCHEDULE}
    if net.average_ is not None:
        state["average"] = net.average_.state_dict()
    return state


def go_on_from(state, net):
    """Put a net, whose training has begun, where another one stood."""
    own, others = _callbacks(net)
    record(net.history, state["history"])
    with torch.no_grad():
        for name, value in _whole_state(net.module_).items():
            value.copy_(torch.from_numpy(state["module"][name]))
    set_state(net.optimizer_, state["optimizer"], state["groups"])
    for generator, bits in zip(net.generators, state["generators"], strict=True):
        if net.group.size == 1:
            generator.set_state(torch.from_numpy(bits))
        else:
            # These are the first process's, and others may have been in the group.
            generator.manual_seed(generator.initial_seed() + len(state["history"]))
    own["best_epoch"].load_state_dict(state["best_epoch"])
    for callback, of_callback in zip(others, state["callbacks"], strict=True):
        callback.load_state_dict(of_callback)
    if "schedule" in own:
        own["schedule"].lr_scheduler_.load_state_dict(state["schedule"])
    if net.average_ is not None:
        net.average_.load_state_dict(state["average"])


def _whole_state(module):
    """A module's weights and buffers, those too that files leave out."""
    return {**module.state_dict(keep_vars=True), **dict(module.named_buffers())}


def _callbacks(net):
    """Callbacks of this package by their names, and the list of the user's."""
    own = dict(net.own_callbacks)
    ours = list(own.values())
    return own, [callback for _, callback in net.callbacks_ if callback not in ours]
