"""Thresholds from the scores of rows held out."""

import numpy as np

from skae._utils.warnings import warn


def threshold(held_out_scores, alpha, overlap=1.0, kind="rows"):
    """Score that normal rows fall below at a given rate.

    Parameters
    ----------
    held_out_scores : ndarray of shape (n,)
        Higher is more normal; NaN are left out.
    alpha : float in (0, 1)
        False-alarm rate.
    overlap : float, default=1.0
        How many scores tell no more than one, since what they are of overlaps.
    kind : str, default="rows"
        What is held out, in words.

    Returns
    -------
    threshold : float
        Of those held out and a new row like them, each falls below with the same
        probability, so that n scores make n + 1 ranks.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha}, but a rate between 0 and 1 was expected.")
    scores = np.sort(held_out_scores[~np.isnan(held_out_scores)])
    n_told = max(round(len(scores) / overlap), 1)
    if alpha * (n_told + 1) < 0.1:
        warn(
            f"alpha={alpha:g} needs {int(np.ceil(1 / alpha)) - 1} {kind} held out, but "
            f"there are {n_told}: the threshold is about the lowest of their scores, "
            f"for a false-alarm rate of about {1 / (n_told + 1):.2g}. Fit to more of "
            "them or raise alpha."
        )
    # Rounding makes 0.29 * 100 less than 29.
    rank = int(alpha * (len(scores) + 1) * (1 + 1e-12))
    return float(scores[rank - 1] if rank else np.nextafter(scores[0], -np.inf))


def own_threshold(detector, fitted):
    """The threshold that a detector has once it is fitted."""
    if not hasattr(fitted, "offset_"):
        raise TypeError(
            f"detector={detector!r} has no offset_ once it is fitted, which is the "
            "threshold with alpha=None: use a number for alpha, or pass a detector "
            "that has one."
        )
    return float(fitted.offset_)
