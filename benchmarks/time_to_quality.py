"""How long until skae is better than what each peer reaches?"""

from math import inf

from benchmarks.peers import PEERS, error, skae
from benchmarks.timing import seconds

SEED = 0
# Each is a whole fit, as a user could ask for it.
EPOCHS = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80)


def add(report, sets, fits):
    """Add the times to a report on quality, from the fits that it rests on."""
    peers = [peer.name for peer in PEERS if peer.name in fits]
    rows, shares = [], {peer.name: [] for peer in PEERS}
    for dataset in _chosen(sets):
        targets = {name: fits[name][dataset.name][SEED] for name in peers}
        reached = _reached(dataset, targets)
        for name, (epochs, time) in reached.items():
            theirs = targets[name].seconds
            shares[name].append(time / theirs)
            known = [None] * 3 if epochs is None else [epochs, time, time / theirs]
            rows.append([dataset.name, name, theirs, *known])
    report.table(
        "Seconds until the held-out error is below a peer's",
        ["set", "peer", "its seconds", "skae's epochs", "skae's seconds", "ratio"],
        rows,
        f"skae is fitted anew with max_iter = {', '.join(map(str, EPOCHS))} until it "
        "is better; the time is that of this fit, from its beginning to its end.",
    )
    for name, its_shares in shares.items():
        bar = f"seconds to {name}'s quality over its own, worst set"
        report.bar(bar, max(its_shares, default=None), 0.2)


def _chosen(sets):
    """The sets of images and the table of middle size."""
    tables = sorted((s for s in sets if s.is_table), key=lambda s: s.X.size)
    return [*tables[len(tables) // 2 :][:1], *(s for s in sets if not s.is_table)]


def _reached(dataset, targets):
    """Epochs and seconds of the first fit that is better than each of the targets."""
    train, test, *_ = dataset.split(SEED)
    reached = dict.fromkeys(targets, (None, inf))
    for max_iter in EPOCHS:
        method = skae(max_iter=max_iter)
        time, _ = seconds(method.fit, train, dataset.code_size, SEED)
        ours = error(method, test)
        for name, fit in targets.items():
            if ours < fit.error and reached[name][0] is None:
                reached[name] = max_iter, time
        if all(epochs is not None for epochs, _ in reached.values()):
            break
    return reached
