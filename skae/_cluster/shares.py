"""Which process of a group trains on which partitions, and where it runs."""

from typing import NamedTuple

import numpy as np


class Share(NamedTuple):
    """What a process trains on.

    Attributes
    ----------
    partitions : list of int
        Numbers of partitions, one after the other.
    worker : str
        Its address.
    """

    partitions: list
    worker: str


def shares_of(sizes, holders, workers):
    """Partitions dealt to workers, about as many rows to each.

    Which partitions go together depends on their sizes and on the number of workers
    alone, so that a fit can be repeated; where they go, on who holds most of them.

    Parameters
    ----------
    sizes : list of int
        Rows of each partition.
    holders : list of collections of str
        Addresses of the workers that hold each partition.
    workers : list of str
        Addresses of all workers.

    Returns
    -------
    shares : list of Share
        As many as there are workers, or partitions with rows if these are fewer.
    """
    filled = [i for i, size in enumerate(sizes) if size]
    groups = _cut(filled, sizes, min(len(workers), len(filled)))
    held = np.array(
        [
            [sum(sizes[i] for i in group if worker in holders[i]) for worker in workers]
            for group in groups
        ]
    )
    shares, places = {}, set()
    # Those that hold most first.
    for place in np.argsort(-held, axis=None, kind="stable"):
        number, worker = divmod(int(place), len(workers))
        if number not in shares and worker not in places:
            shares[number] = Share(groups[number], workers[worker])
            places.add(worker)
    return [shares[number] for number in range(len(groups))]


def _cut(filled, sizes, count):
    """Partitions in so many runs of about as many rows, none of which is empty."""
    ends = np.cumsum([sizes[i] for i in filled])
    groups, start = [], 0
    for k in range(1, count + 1):
        wanted = ends[-1] * k / count
        # The end that is nearest, with one left for each of those that follow.
        stop = int(np.abs(ends - wanted).argmin()) + 1
        stop = min(max(stop, start + 1), len(filled) - (count - k))
        groups.append(filled[start:stop])
        start = stop
    return groups
