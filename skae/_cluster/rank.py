"""What runs on a worker: one process of a group."""

import os
import socket
from datetime import timedelta
from time import monotonic, sleep
from typing import NamedTuple

from torch import distributed

from skae._utils.group import Group, as_group

# Seconds between looks.
_LOOK = 0.2


class Place(NamedTuple):
    """Where a process of a group can be.

    Attributes
    ----------
    meeting : tuple of str and int
        Host and a free port.
    device : str or None
        Name of the GPU that is the worker's alone; None where none is.
    """

    meeting: tuple
    device: str | None


class Spot(NamedTuple):
    """What a process has to know of its group.

    Attributes
    ----------
    meeting : tuple of str and int
        Host and port of the first process.
    rank, size : int
    backend : str
    seconds : float
        That processes wait for each other at the most.
    """

    meeting: tuple
    rank: int
    size: int
    backend: str
    seconds: float


def place():
    """The place that this worker is."""
    from distributed import get_worker

    scheme, _, rest = get_worker().address.rpartition("://")
    if scheme == "inproc":
        raise RuntimeError(
            "Workers that share a process cannot train together: use "
            "LocalCluster(processes=True), or fit without a client."
        )
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0]
    device = f"{socket.gethostname()} {visible}" if visible else None
    with socket.socket() as opened:
        opened.bind(("", 0))
        port = opened.getsockname()[1]
    return Place((rest.rpartition(":")[0].strip("[]"), port), device)


def backend_of(places):
    """What sends messages between places: NCCL where each has a GPU of its own."""
    devices = {place.device for place in places} - {None}
    return "cpu:gloo,cuda:nccl" if len(devices) == len(places) else "gloo"


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


def fitted_state(train, parts, spot):
    """What an estimator has become, trained in a group on rows of this process.

    Parameters
    ----------
    train : callable
        ``train(blocks)`` fits an estimator and returns its state.
    parts : list of arrays or DataFrames
    spot : Spot

    Returns
    -------
    state : object or None
        That of the first process; None of the others.
    """
    _wait_until_free(spot.seconds)
    timeout = timedelta(seconds=spot.seconds)
    store = distributed.TCPStore(*spot.meeting, spot.size, spot.rank == 0, timeout)
    distributed.init_process_group(
        spot.backend,
        store=store,
        rank=spot.rank,
        world_size=spot.size,
        timeout=timeout,
    )

    def partitions():
        return iter(parts)

    partitions.__name__ = f"the partitions of worker {spot.rank}"
    try:
        with as_group(Group("worker", is_wanted=_is_wanted())):
            state = train(partitions)
    finally:
        distributed.destroy_process_group()
    return state if spot.rank == 0 else None


def _wait_until_free(seconds):
    """Wait for the end of a training that nobody wants any more."""
    end = monotonic() + seconds
    while distributed.is_initialized():
        if monotonic() > end:
            raise RuntimeError(
                "The worker is in a process group already: it trains on something "
                "else. Wait until that has ended, or use other workers."
            )
        sleep(_LOOK)
