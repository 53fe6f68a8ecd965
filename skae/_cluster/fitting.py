"""A fit on the workers of a cluster, from the side of the client."""

from time import monotonic, sleep

import numpy as np
from dask.config import get as configured
from distributed import Semaphore, wait
from distributed.client import CancelledError

from skae._cluster.rank import Spot, backend_of, fitted_state, n_rows, place
from skae._cluster.shares import shares_of
from skae._sources.collections import DaskSource
from skae._utils.group import PeerError
from skae._utils.warnings import warn

# Seconds that processes wait for each other at the most, and between looks at them.
_PATIENCE, _LOOK = 300.0, 0.5
# Seconds in which a worker that was lost is known to be.
_NOTICE = 5.0


class WorkerLostError(RuntimeError):
    """A worker has gone while it trained."""


def fitted_on_workers(client, X, train, goes_on):
    """What comes of a training in which each worker has rows of its own.

    Parameters
    ----------
    client : distributed.Client
    X : collection of Dask
    train : callable
        ``train(blocks)`` fits an estimator in a group, to a function that returns
        blocks, and returns its state. It is sent to the workers.
    goes_on : bool
        Whether what was trained is kept, so that it goes on with the workers that are
        left where one is lost.

    Returns
    -------
    state : object

    Raises
    ------
    RuntimeError
        If a worker is lost, and nothing was kept; what was raised on a worker.
    """
    source = DaskSource(X)
    delayed = list(np.ravel(source.X.to_delayed()))
    while True:
        # What is held already is not computed again.
        parts = client.compute(delayed)
        try:
            # Fits that have some of the workers each would wait for the others.
            with Semaphore(1, "skae-fit"):
                return _fitted(client, source.title, parts, train)
        except WorkerLostError as error:
            if not goes_on:
                raise RuntimeError(
                    f"{error} Fit again; with checkpoint=, a path that all workers "
                    "see, a fit goes on with those that are left."
                ) from error
            warn(f"{error} The fit goes on from its checkpoint with those left.")


def _fitted(client, title, parts, train):
    workers = list(client.nthreads())
    if not workers:
        raise RuntimeError(f"{client!r} has no workers to train on {title}.")
    lengths = client.map(n_rows, parts, pure=False)
    # Dask computes anew what is lost before the training.
    _wait_for(client, [*parts, *lengths], [])
    for number, part in enumerate(parts):
        if part.status == "error":
            error = part.exception()
            raise RuntimeError(
                f"Partition {number} of {title} could not be computed: "
                f"{type(error).__name__}: {error}"
            ) from error
    sizes = client.gather(lengths)
    if not sum(sizes):
        raise ValueError(f"{title} has no rows.")
    held_by = client.who_has(parts)
    holders = [held_by[part.key] for part in parts]
    shares = shares_of(sizes, holders, workers)
    places = [_submitted(client, share.worker, place) for share in shares]
    _wait_for(client, places, workers)
    places = client.gather(places)
    meeting, backend = places[0].meeting, backend_of(places)
    tasks = []
    for rank, (numbers, worker) in enumerate(shares):
        own = [parts[i] for i in numbers]
        spot = Spot(meeting, rank, len(shares), backend, _seconds())
        tasks.append(_submitted(client, worker, fitted_state, train, own, spot))
    try:
        _wait_for(client, tasks, [share.worker for share in shares])
        _raise_first(client, tasks, shares)
        return tasks[0].result()
    finally:
        client.cancel(tasks, force=True)


def _submitted(client, worker, function, *args):
    """The future of a call that has to be made by a worker, and once."""
    options = {"workers": [worker], "allow_other_workers": False}
    return client.submit(function, *args, **options, pure=False, retries=0)


def _seconds():
    """Seconds that processes wait for each other, as the user has configured it."""
    return float(configured("skae.timeout", _PATIENCE))


def _wait_for(client, futures, workers):
    """Wait until all have ended, one has failed, or a worker is lost."""
    end = monotonic() + _seconds()
    while True:
        try:
            wait(futures, timeout=_LOOK)
        except TimeoutError:
            pass  # which is usual
        except CancelledError:
            _check_scheduler(client)
            raise _no_tasks(client) from None
        if any(f.status in ("error", "cancelled", "lost") for f in futures):
            return
        if all(f.done() for f in futures):
            return
        if _check_workers(client, workers):
            end = monotonic() + _seconds()
        elif monotonic() > end:
            raise RuntimeError(
                f"{client!r} has had no workers for {_seconds():g} seconds."
            )


def _check_scheduler(client):
    if client.status != "running":
        raise _no_scheduler(client)


def _no_scheduler(client):
    return RuntimeError(
        f"The scheduler of {client!r} has gone, and with it the training."
    )


def _no_tasks(client):
    return RuntimeError(
        f"The tasks of the training were cancelled: {client!r} was restarted, or "
        "another client did it. Fit again; with checkpoint= a fit goes on."
    )


def _check_workers(client, workers):
    """Raise if some workers are lost; whether there are any at all."""
    _check_scheduler(client)
    try:
        present = set(client.nthreads())
    except OSError as error:
        raise _no_scheduler(client) from error
    lost = sorted(set(workers) - present)
    if lost:
        raise WorkerLostError(f"Worker {lost[0]} was lost while it trained.")
    return bool(present)


def _raise_first(client, tasks, shares):
    """Raise what has ended a training; what was raised elsewhere came of it."""
    failed = [i for i, task in enumerate(tasks) if task.status != "finished"]
    if not failed:
        return
    workers = [share.worker for share in shares]
    errors = {i: _error_of(tasks[i]) for i in failed}
    causes = [e for e in errors.values() if not isinstance(e, PeerError | None)]
    if causes:
        raise causes[0]
    # A connection was closed, perhaps by a worker of which it is not known yet.
    end = monotonic() + _NOTICE
    while monotonic() < end:
        _check_workers(client, workers)
        sleep(_LOOK)
    if None in errors.values():
        raise _no_tasks(client)
    number, error = next(iter(errors.items()))
    raise RuntimeError(
        f"The training failed on worker {workers[number]}: {error}"
    ) from error


def _error_of(task):
    try:
        return task.exception(timeout=_LOOK)
    except (CancelledError, TimeoutError):
        return None
