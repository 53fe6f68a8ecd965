"""Where the trainings of a fit stand, written to a file now and then."""

import json
from contextlib import suppress
from os import fspath
from pathlib import Path
from time import perf_counter

import torch

from skae._files.container import dumps, read, write_atomically
from skae._files.fingerprint import fingerprint
from skae._files.values import Reader, Writer
from skae._utils.device import training_device
from skae._utils.group import Group
from skae._version import __version__
from skae.checkpoints._folder import Checkpoints
from skae.exceptions import InvalidFileError

# Time between writes, over that of a write: so they take a twentieth at most.
_RARE = 19
# What makes no difference to what is fitted.
_WITHOUT_EFFECT = {"checkpoint", "verbose"}


class Journal:
    """A fit of which nothing is written; the base of one of which something is.

    Attributes
    ----------
    keeps : bool
        Whether anything is kept.
    """

    keeps = False

    def seeded(self, seed):
        """The seed of the fit: this one, or that of its beginning."""
        return seed

    def entry(self):
        """The entry of the next training of the fit."""
        return Entry()

    def close(self):
        """Say that the fit has ended, and its result is stored."""


class Entry:
    """What is known of a training: nothing, and nothing is kept."""

    def state(self, last_epoch):
        """Where the training stood, no later than after an epoch; or None.

        Returns
        -------
        state : dict or None
            Of arrays and plain values.
        """
        return None

    def keep(self, state, epoch, has_ended):
        """Keep where the training stands, if it is time to.

        Parameters
        ----------
        state : callable
            Without arguments, returns a dict of arrays and plain values.
        epoch : int
            After which it stands there.
        has_ended : bool
            Whether the training has.
        """


class FileJournal(Journal):
    """A fit whose trainings are kept in a file.

    Parameters
    ----------
    path : Path
    identity : dict of str to str
        What tells this fit from others: its parameters, and digests.
    stays : bool
        Whether the file stays there when the fit has ended.

    Raises
    ------
    ValueError
        If the file is that of another fit.
    InvalidFileError
        If the file is no checkpoint, or damaged.
    """

    keeps = True

    def __init__(self, path, identity, stays):
        self._path, self._identity, self._stays = path, identity, stays
        self._seed, self._states, self._n_entries = None, {}, 0
        self._next_write = 0.0
        if path.exists():
            self._read()
        elif not path.parent.is_dir():
            raise FileNotFoundError(
                f"checkpoint={fspath(path)!r}: there is no folder "
                f"{fspath(path.parent)!r}."
            )

    def _read(self):
        content, arrays, versions = read(self._path)
        kept = Reader(arrays, {}).whole(content)
        name = fspath(self._path)
        if not isinstance(kept, dict) or set(kept) != {"identity", "seed", "states"}:
            raise InvalidFileError(f"{name!r} is a file of skae, but no checkpoint.")
        if versions.get("skae") != __version__:
            raise InvalidFileError(
                f"{name!r} was written by skae {versions.get('skae')}, and this is "
                f"{__version__}: delete it to start anew."
            )
        changed = _differences(kept["identity"], self._identity)
        if changed:
            raise ValueError(
                f"checkpoint={name!r} is that of another fit: {'; '.join(changed)}. "
                "Fit as before to go on from it, or delete it to start anew."
            )
        self._seed, self._states = kept["seed"], kept["states"]

    def seeded(self, seed):
        if self._seed is None:
            self._seed = seed
        return self._seed

    def entry(self):
        self._n_entries += 1
        return FileEntry(self, self._n_entries - 1)

    def state(self, number, last_epoch):
        """Where a training stood, no later than after an epoch; or None."""
        states = self._states.get(number, {})
        epochs = [epoch for epoch in states if epoch <= last_epoch]
        return states[max(epochs)] if epochs else None

    def keep(self, number, state, epoch, has_ended):
        """Write where a training stands, unless the last write was just now.

        Where it ended is kept, if the file is to stay, for trainings of more epochs.
        """
        start = perf_counter()
        if start < self._next_write and not (has_ended and self._stays):
            return
        states = self._states.get(number, {}) if self._stays else {}
        states = {e: kept for e, kept in states.items() if kept["has_ended"]}
        self._states[number] = {**states, epoch: {**state(), "has_ended": has_ended}}
        writer = Writer()
        kept = {"identity": self._identity, "seed": self._seed, "states": self._states}
        node = writer.node(kept)
        data = dumps(node, writer.arrays, {"skae": __version__})
        write_atomically(self._path, data)
        end = perf_counter()
        self._next_write = end + _RARE * (end - start)

    def close(self):
        if not self._stays:
            with suppress(FileNotFoundError):
                self._path.unlink()


class FileEntry(Entry):
    """What is known of a training of a fit that is kept in a file.

    Parameters
    ----------
    journal : FileJournal
    number : int
        Of the training.
    """

    def __init__(self, journal, number):
        self.journal, self.number = journal, number

    def state(self, last_epoch):
        return self.journal.state(self.number, last_epoch)

    def keep(self, state, epoch, has_ended):
        self.journal.keep(self.number, state, epoch, has_ended)


class SharedJournal(Journal):
    """The journal of a fit of several processes, which the first one keeps.

    Parameters
    ----------
    journal : Journal
        Of this process, if it is the first one.
    group : Group
    """

    def __init__(self, journal, group):
        self._journal, self._group = journal, group
        self.keeps = group.from_first(journal.keeps)

    def seeded(self, seed):
        return self._group.from_first(self._journal.seeded(seed))

    def entry(self):
        return SharedEntry(self._journal.entry(), self._group)

    def close(self):
        self._journal.close()


class SharedEntry(Entry):
    """The entry of a training of several processes."""

    def __init__(self, entry, group):
        self._entry, self._group = entry, group

    def state(self, last_epoch):
        return self._group.from_first(self._entry.state(last_epoch))

    def keep(self, state, epoch, has_ended):
        self._entry.keep(state, epoch, has_ended)


def journal_of(checkpoint, estimator, rows, earlier, group):
    """The journal of a fit, which the first process of a group keeps.

    Parameters
    ----------
    checkpoint, estimator, rows, earlier
        As for :func:`_own_journal`.
    group : Alone

    Returns
    -------
    journal : Journal

    Raises
    ------
    ValueError, InvalidFileError, FileNotFoundError
        Likewise.
    """
    digest = None
    if checkpoint is not None:
        # Of a group others may be left when it goes on.
        digest = rows.digest(in_any_order=isinstance(group, Group))
    if group.size == 1:
        return _own_journal(checkpoint, estimator, rows.shape, digest, earlier)
    journal = Journal()
    with group.together():
        if group.rank == 0:
            journal = _own_journal(checkpoint, estimator, rows.shape, digest, earlier)
    return SharedJournal(journal, group)


def _own_journal(checkpoint, estimator, shape, digest, earlier):
    """The journal of a fit.

    Parameters
    ----------
    checkpoint : str, PathLike, Checkpoints or None
    estimator : estimator
    shape : tuple of two int
        Of the rows that are fitted.
    digest : str or None
        That tells them from others.
    earlier : object
        What the fit goes on from, or None.

    Returns
    -------
    journal : Journal

    Raises
    ------
    ValueError, InvalidFileError
        If there is a checkpoint of another fit, or none that can be read.
    FileNotFoundError
        If the folder of the path does not exist.
    """
    if checkpoint is None:
        return Journal()
    ignored = set(_WITHOUT_EFFECT)
    is_folder = isinstance(checkpoint, Checkpoints)
    if is_folder and checkpoint.max_iter is not None:
        ignored.add("max_iter")
    parameters = estimator.get_params(deep=False)
    identity = {
        name: fingerprint(value)
        for name, value in sorted(parameters.items())
        if name not in ignored
    }
    identity["estimator"] = type(estimator).__name__
    identity["X"] = f"{shape[0]} rows of {shape[1]}, {digest}"
    identity["earlier fit"] = fingerprint(earlier)
    identity["kind of device"] = torch.device(training_device(estimator.device)).type
    if not is_folder:
        return FileJournal(Path(checkpoint), identity, stays=False)
    folder = Path(checkpoint.folder)
    folder.mkdir(parents=True, exist_ok=True)
    planned = {**identity, "planned": str(checkpoint.max_iter)}
    name = fingerprint(json.dumps(planned)).removeprefix("digest ")[:32]
    return FileJournal(folder / f"{name}.ckpt", planned, stays=True)


def _differences(before, now):
    """What is not as it was, in words."""
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return [f"{name} was {before.get(name)}, and is {now.get(name)}" for name in names]
