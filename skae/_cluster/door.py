"""Whether a fit is for the workers of a cluster."""

import sys

from skae._sources.door import is_collection


def client_for(X):
    """The client whose workers are to train on X, or None.

    Parameters
    ----------
    X : object
        Collections of Dask are trained on by the workers of the client that is there,
        in whose process this is called.

    Raises
    ------
    TypeError
        If the client is asynchronous.
    """
    # Without a client nobody has imported it.
    if "distributed" not in sys.modules or not is_collection(X):
        return None
    from distributed import default_client, worker

    try:
        client = default_client()
    except ValueError:
        return None
    if worker.thread_state.__dict__.get("execution_state") is not None:
        return None  # a task, which must not wait for others
    if client.asynchronous:
        raise TypeError(
            f"{client!r} is asynchronous, but fit waits for its workers: use "
            "Client(..., asynchronous=False)."
        )
    return client
