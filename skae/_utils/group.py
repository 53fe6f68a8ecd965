"""Processes that train together, each on rows of its own."""

from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from time import monotonic

import numpy as np
import torch
from torch import distributed

# Seconds between looks at whether a training is wanted.
_LOOK = 1.0


class PeerError(RuntimeError):
    """Another process of the group has failed, or does not answer."""


class Alone:
    """A process that trains by itself, with what is asked of a group as well.

    Attributes
    ----------
    rank, size : int
        Number of the process in its group, and how many there are.
    """

    rank, size = 0, 1

    def sum(self, values):
        """The sum over the processes, of a tensor that is changed in place."""
        return values

    def share_(self, values):
        """Give a tensor the values that it has in the first process."""
        return values

    def gathered(self, value):
        """The values of all processes, a list in their order."""
        return [value]

    def from_first(self, value):
        """The value of the first process."""
        return value

    def seed(self, seed):
        """The seed of this process, by the one that they share."""
        return seed

    @contextmanager
    def together(self):
        """A context that raises in all processes what is raised in one.

        Inside of it, processes must not wait for each other.
        """
        yield


ALONE = Alone()


class Group(Alone):
    """The processes of a group of torch.distributed, of which this is one.

    Parameters
    ----------
    name : str, default="process"
        What processes are called in errors.
    is_wanted : callable, default=None
        Says, when it is asked now and then, whether the training is to go on.
    """

    def __init__(self, name="process", is_wanted=None):
        self.name = name
        self._is_wanted, self._next_look = is_wanted, 0.0
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self._needs_gpu = distributed.get_backend() == "nccl"

    def sum(self, values):
        return self._done(distributed.all_reduce, values)

    def share_(self, values):
        return self._done(partial(distributed.broadcast, src=0), values)

    @torch.no_grad()
    def _done(self, function, values):
        if self._is_wanted is not None and monotonic() > self._next_look:
            self._next_look = monotonic() + _LOOK
            if not self._is_wanted():
                raise RuntimeError("Nobody waits for this training any more.")
        # NCCL knows of GPUs only, and messages are contiguous.
        is_elsewhere = values.device.type == "cpu" and self._needs_gpu
        sent = values.to("cuda") if is_elsewhere else values.contiguous()
        with self._asking():
            function(sent)
        return values if sent is values else values.copy_(sent)

    def gathered(self, value):
        values = [None] * self.size
        with self._asking():
            distributed.all_gather_object(values, value)
        return values

    def from_first(self, value):
        values = [value]
        with self._asking():
            distributed.broadcast_object_list(values, src=0)
        return values[0]

    @contextmanager
    def _asking(self):
        """A context in which other processes have to answer."""
        try:
            yield
        except RuntimeError as error:
            raise PeerError(
                f"A {self.name} of the {self.size} has failed, or did not answer in "
                f"time: {error}"
            ) from error

    def seed(self, seed):
        return int(np.random.SeedSequence((seed, self.rank)).generate_state(1)[0])

    @contextmanager
    def together(self):
        error = None
        try:
            yield
        except Exception as raised:
            error = raised
        told = None if error is None else f"{type(error).__name__}: {error}"
        try:
            failed = {i: text for i, text in enumerate(self.gathered(told)) if text}
        finally:
            if error is not None:
                raise error
        if failed:
            rank, text = next(iter(failed.items()))
            raise PeerError(
                f"The fit failed in {self.name} {rank} of {self.size}: {text}"
            )


_CURRENT: ContextVar = ContextVar("group", default=None)
# Whether the group that torch knows was made for one fit, and not by the caller.
_IS_OURS = False


def current_group():
    """The group that a fit is to be trained in, which may be this process alone."""
    group = _CURRENT.get()
    if group is not None:
        return group
    is_there = distributed.is_available() and distributed.is_initialized()
    if not is_there or _IS_OURS or distributed.get_world_size() == 1:
        return ALONE
    return Group()


@contextmanager
def as_group(group):
    """A context whose fits are trained in a group, which is for them alone."""
    global _IS_OURS
    token, before = _CURRENT.set(group), _IS_OURS
    _IS_OURS = True
    try:
        yield
    finally:
        _CURRENT.reset(token)
        _IS_OURS = before


def average_gradients(group, parameters, loss, n_rows):
    """Give parameters the gradients of a batch whose rows are those of all processes.

    Parameters
    ----------
    group : Alone
    parameters : list of Parameters
        With the gradients of the rows of this process; None is none.
    loss : Tensor of shape ()
        Of the rows of this process.
    n_rows : int
        How many these are.

    Returns
    -------
    loss : Tensor of shape ()
        Of all rows.

    Notes
    -----
    Losses are means over rows. What is normalised by more than their number in a batch,
    as cells that are hidden or missing and means of codes, is so in each process.
    """
    if group.size == 1:
        return loss
    device = parameters[0].device
    # One message of all gradients, how many rows they are of, and which there are.
    parts = [torch.ones(1, device=device), loss.reshape(1)]
    parts.append(
        torch.tensor([float(p.grad is not None) for p in parameters], device=device)
    )
    parts += [
        p.new_zeros(p.numel()) if p.grad is None else p.grad.reshape(-1)
        for p in parameters
    ]
    sizes = [len(part) for part in parts]
    message = group.sum(torch.cat(parts).mul_(n_rows))
    message /= message[0].clone()
    _, total, are_there, *averages = message.split(sizes)
    for parameter, average, is_there in zip(
        parameters, averages, are_there.tolist(), strict=True
    ):
        if is_there:
            parameter.grad = average.view_as(parameter)
    return total.reshape(())
