"""Images and heat maps in lines and columns on one axes."""

import numpy as np

from skae.plotting._display import frame, name_ticks, tile

# Between images, as a share of their size.
GAP = 0.12


def image_grid(ax, lines, options, above=GAP, first=0.0):
    """Draw lines of images.

    Parameters
    ----------
    ax : Axes
    lines : list of ndarray of shape (n_images, height, width) or with channels
    options : list of dict
        For ``imshow``, of each line.
    above, first : float, default=GAP, 0
        Room above lines and above all of them, as a share of the images' height.

    Returns
    -------
    shown : list of AxesImage
    lefts, tops : ndarray
        Where columns and lines begin.
    """
    height, width = lines[0].shape[1:3]
    tops = (1 + above) * height * np.arange(len(lines)) + first * height
    lefts = (1 + GAP) * width * np.arange(max(map(len, lines)))
    shown = [
        tile(ax, part, left, top, **option)
        for top, line, option in zip(tops, lines, options, strict=True)
        for left, part in zip(lefts, line, strict=False)
    ]
    frame(ax, lefts[-1] + width, tops[-1] + height, aspect="equal")
    ax.tick_params(length=0)
    return shown, lefts, tops


def stacked_maps(ax, maps, options, labels, names, gap=0.0):
    """Draw heat maps of the same features below each other.

    Parameters
    ----------
    ax : Axes
    maps : list of ndarray of shape (n_rows, n_features)
    options : list of dict
        For ``imshow``, of each map.
    labels : list of str
        Beside each map, or beside each row of one map.
    names : list of str or None
        Of the features.
    gap : float, default=0
        In rows.

    Returns
    -------
    shown : list of AxesImage
    """
    n_rows, width = maps[0].shape
    tops = (n_rows + gap) * np.arange(len(maps))
    triples = zip(tops, maps, options, strict=True)
    shown = [tile(ax, part, 0, top, **option) for top, part, option in triples]
    frame(ax, width, tops[-1] + n_rows)
    is_of_maps = len(labels) == len(maps)
    middles = tops + n_rows / 2 if is_of_maps else np.arange(n_rows) + 0.5
    ax.set_yticks(middles, labels)
    ax.tick_params(length=0)
    name_ticks(ax.xaxis, np.arange(width) + 0.5, names, "feature")
    return shown
