"""A training step, and whether threads would change what it computes."""

import copy
from functools import partial

import torch

from skae._utils.group import ALONE, average_gradients

# Limit on the gradient's norm. Batches with outliers exceed it, and at large learning
# rates such a step makes training diverge.
_MAX_GRADIENT_NORM = 0.1


def clip_gradients_(gradients):
    """Clip the global norm of gradients in place.

    As :func:`torch.nn.utils.clip_grad_norm_`, whose sorting of tensors by device and
    type takes as long again.
    """
    norm = torch.stack(torch._foreach_norm(gradients)).norm()
    torch._foreach_mul_(gradients, (_MAX_GRADIENT_NORM / norm).clamp(max=1))


def backward(objective, module, optimizer, batch, generator, group=ALONE):
    """Give a module the clipped gradients of a batch, and of those of its group.

    Returns
    -------
    loss : Tensor of shape ()
    output : Tensor of shape (n, n_features)
        Raw.
    """
    trained = optimizer.param_groups[0]["params"]
    loss, output = batch.rows.new_zeros(()), batch.rows
    if len(batch):  # a process of a group may have no row left
        seen = objective.corrupt(batch, generator)
        losses, penalty, output = objective(module, seen, batch, generator)
        loss = batch.total(losses) + penalty
        loss.backward()
    loss = average_gradients(group, trained, loss.detach(), len(batch))
    clip_gradients_([p.grad for p in trained if p.grad is not None])
    return loss, output


def trial_parts(net, train, valid):
    """Parts of a training, done on copies: do threads change their bits?

    Parameters
    ----------
    net : AutoencoderNet
    train : TensorDataset
    valid : TensorDataset or None

    Yields
    ------
    part : callable
        Returns tensors, the same in every call.
    """
    fewest, more = divmod(len(train), net.n_batches)
    for size in {fewest, fewest + (more > 0)}:
        # A copy lies in memory as batches do.
        chosen = torch.arange(size, device=train.X.rows.device)
        yield partial(_step_on_copies, net, train.X.take(chosen))
    if valid is not None:
        sizes = {len(batch): batch for batch in net.get_iterator(valid)}
        yield partial(_validation, net, list(sizes.values()))


def _step_on_copies(net, batch):
    """State of the module and of the optimiser after a step, which are left alone."""
    objective = net.criterion_
    module, optimizer = copy.deepcopy((net.module_, net.optimizer_))
    generator = torch.Generator(batch.rows.device)
    generator.set_state(net.generators[1].get_state())
    optimizer.zero_grad()
    loss, _ = backward(objective, module, optimizer, batch, generator)
    optimizer.step()
    state = [value for of in optimizer.state.values() for value in of.values()]
    return [loss, *module.state_dict().values(), *state]


def _validation(net, batches):
    net._set_training(False)
    try:
        return net.validation_losses(batches)
    finally:
        net._set_training(True)
