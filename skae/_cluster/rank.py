"""What runs on a worker: one process of a group."""

import socket
from datetime import timedelta

import torch
from torch import distributed

from skae._utils.group import Group, as_group


def address():
    """Host and free port of this worker, at which a group can meet."""
    from distributed import get_worker

    host = get_worker().address.rpartition("://")[2].rpartition(":")[0]
    with socket.socket() as opened:
        opened.bind(("", 0))
        return host.strip("[]"), opened.getsockname()[1]


def _is_wanted():
    """A function that says whether anybody still waits for the task that runs here."""
    from distributed import get_worker

    worker, key = get_worker(), get_worker().get_current_task()

    def is_wanted():
        task = worker.state.tasks.get(key)
        return task is not None and task.state != "cancelled"

    return is_wanted


def n_rows(partition):
    """How many rows a partition has."""
    return partition.shape[0]


def fitted_state(train, parts, meeting, rank, size, seconds):
    """What an estimator has become, trained in a group on rows of this process.

    Parameters
    ----------
    train : callable
        ``train(blocks)`` fits an estimator and returns its state.
    parts : list of arrays or DataFrames
    meeting : tuple of str and int
        Host and port of the first process.
    rank, size : int
    seconds : float
        That processes wait for each other at the most.

    Returns
    -------
    state : object or None
        That of the first process; None of the others.
    """
    if distributed.is_initialized():
        raise RuntimeError(
            "The worker is in a process group already: it trains on something else. "
            "Wait until that has ended, or use other workers."
        )
    timeout = timedelta(seconds=seconds)
    kinds = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    store = distributed.TCPStore(*meeting, size, rank == 0, timeout)
    distributed.init_process_group(
        kinds, store=store, rank=rank, world_size=size, timeout=timeout
    )
    try:
        with as_group(Group("worker", is_wanted=_is_wanted())):
            state = train(lambda: iter(parts))
    finally:
        distributed.destroy_process_group()
    return state if rank == 0 else None
