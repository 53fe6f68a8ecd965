"""How rare scores are: surprisals that grow on beyond all scores held out."""

import numpy as np

from skae._utils.checks import array, number, positive
from skae._utils.stored import stored
from skae.detection._scores import surprisal

# Share of the scores of rows held out that are their tail, and the fewest.
_TAIL, _FEWEST = 0.1, 10
# Least size of the tail of log ratios, in nats: where the largest ones are about the
# same, one a little larger is no rarer.
_LEAST_NATS = 0.3


@stored(usual=array("f", 1), edge=number, size=positive)
class Tail:
    """Surprisal of scores: minus the log of the share of usual ones at least as large.

    Beyond the edge of the largest ones, of which too few tell, it grows on as if they
    had an exponential distribution, so that no two are equally rare.

    Parameters
    ----------
    usual : ndarray of shape (m,)
        Scores of rows held out.
    least : float
        Least size of their tail.

    Attributes
    ----------
    edge : float
        Between the tail and the other scores.
    size : float
        Mean excess of the tail's scores over the edge, by its median: whatever a few
        scores are.
    """

    def __init__(self, usual, least=_LEAST_NATS):
        self.usual = np.sort(usual)
        share = np.clip(_FEWEST / len(usual), _TAIL, 0.5)
        self.edge = float(np.quantile(usual, 1 - share))
        excess = self.usual[self.usual > self.edge] - self.edge
        size = np.median(excess) / np.log(2) if len(excess) else 0.0
        self.size = max(float(size), least)

    @classmethod
    def beyond_all(cls, usual, least):
        """One that begins where no score held out is: shares are counted up to there.

        Parameters
        ----------
        usual : ndarray of shape (m,)
        least : float
        """
        tail = cls(usual, least)
        tail.edge = float(tail.usual[-1])
        return tail

    @classmethod
    def of_shares(cls, usual):
        """What counts shares alone, as in files of format 2: nothing is beyond."""
        tail = cls(usual)
        tail.edge = float(np.finfo(float).max) / 2
        return tail

    def check(self):
        """Raise ValueError for numbers, read from a file, that don't fit together."""
        if not len(self.usual) or (np.diff(self.usual) < 0).any():
            raise ValueError("Its usual scores are not sorted.")

    def __call__(self, scores):
        """Surprisal (n,) of scores (n,), in nats; higher is rarer."""
        just_beyond = np.nextafter(self.edge, np.inf)
        below = surprisal(np.minimum(scores, just_beyond), self.usual)
        return below + np.maximum(scores - self.edge, 0) / self.size
