"""What all displays share: matplotlib where it is needed, axes, colours and ticks."""

import textwrap

import numpy as np

# Told apart by those who see few colours: M. A. Petroff, Accessible color sequences
# for data visualization, 2021, https://arxiv.org/abs/2107.02270
COLORS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#832db6",
    "#94a4a2",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
MARKERS = "osD^vPX*<>"
# Of values, of errors with signs, and of what is 0 where all is well.
SEQUENTIAL, DIVERGING, FAULTS = "viridis", "RdBu_r", "magma_r"
# Of more features than these, no names are written.
MOST_NAMES = 30
_MOST_LETTERS = 28
# How many letters of a label take an inch.
_LETTERS = 11.5
# Inches that a number takes at an axis.
_NUMBER = 0.28
# What names below axes leave of their height.
_LEFT = 0.8


class Display:
    """Base of displays.

    Attributes
    ----------
    ax_ : Axes
        What was drawn on.
    figure_ : Figure
        What that is in.
    """

    @classmethod
    def _check_matplotlib(cls):
        """Raise ImportError without matplotlib, before anything is computed."""
        try:
            import matplotlib  # noqa: F401
        except ImportError as error:
            raise ImportError(
                f"{cls.__name__} draws by matplotlib, which is not installed: "
                "pip install 'skae[plot]'"
            ) from error

    def _start(self, ax, width, height, layout="constrained"):
        """Set the axes: those given, or new ones of a size in inches."""
        self._check_matplotlib()
        if ax is None:
            from matplotlib import pyplot

            _, ax = pyplot.subplots(figsize=(width, height), layout=layout)
        elif getattr(ax, "name", None) != "rectilinear":
            raise TypeError(
                f"ax is a {type(ax).__name__}, but one Axes of matplotlib with "
                "rectangular coordinates was expected, as plt.subplots() makes them."
            )
        self.ax_, self.figure_ = ax, ax.figure
        return ax


def text_color():
    """The colour of text, which is seen on any background."""
    from matplotlib import rcParams

    return rcParams["text.color"]


def short(name):
    """A name that fits beside a picture: of a long one, how it begins and ends."""
    name, half = str(name), _MOST_LETTERS // 2
    return name if len(name) <= _MOST_LETTERS else f"{name[:half]}…{name[1 - half :]}"


def literal(text):
    """Text of users as matplotlib shows it: "$" begins no mathematics."""
    return str(text).replace("$", r"\$")


def name_ticks(axis, places, names, what):
    """Names at an axis; of many, their numbers.

    Parameters
    ----------
    axis : Axis
    places : array-like of shape (n_names,)
        Of the numbers 0, 1 and so on, if there are many.
    names : list or None
        None are numbers.
    what : str
        What is named, for the axis's label.
    """
    is_x = axis.axis_name == "x"
    if names is None and len(places) <= MOST_NAMES:
        room = inches_of(axis.axes)[0 if is_x else 1] / _NUMBER
        step = int(np.ceil(len(places) / room))
        axis.set_ticks(places[::step], range(0, len(places), step))
        axis.set_label_text(f"number of the {what}")
        return
    if len(places) > MOST_NAMES:
        from matplotlib.ticker import MaxNLocator

        axis.set_major_locator(MaxNLocator(9, integer=True, steps=[1, 2, 5, 10]))
        axis.set_label_text(f"number of the {what}")
        return
    names = [short(name) for name in names]
    rotation = 90 if is_x and is_upright(names) else 0
    axis.set_ticks(places, list(map(literal, names)), rotation=rotation)
    axis.set_label_text("")
    axis.set_tick_params(length=0)


def is_upright(names):
    """Whether names along x are written from bottom to top."""
    lengths = list(map(len, names))
    return sum(lengths) > 80 or (max(lengths) > 3 and sum(lengths) > 40)


def width_of(names):
    """Inches that names need beside axes."""
    return max((len(name) for name in names), default=0) / _LETTERS


def height_of(names):
    """Inches that names need below axes."""
    names = [short(name) for name in names or []]
    is_needed = 0 < len(names) <= MOST_NAMES and is_upright(names)
    return width_of(names) if is_needed else 0.0


def limit(values):
    """The largest size of finite values, but for the last hundredth of many of them.

    Parameters
    ----------
    values : ndarray

    Returns
    -------
    limit : float
        Above 0.
    is_beyond : bool
        Whether some are larger.
    """
    sizes = np.abs(values[np.isfinite(values)])
    if not len(sizes) or not sizes.max():
        return 1.0, False
    found = np.quantile(sizes, 0.99) if len(sizes) > 200 else sizes.max()
    found = found or sizes.max()
    return float(found), bool(sizes.max() > found)


def diverging(values):
    """Options of images: colours that are symmetric about 0.

    Returns
    -------
    options : dict
        For ``imshow``.
    extend : {"both", "neither"}
        For the colour bar.
    """
    largest, is_beyond = limit(values)
    options = {"cmap": DIVERGING, "vmin": -largest, "vmax": largest}
    return options, "both" if is_beyond else "neither"


def value_range(values):
    """Ends of a scale of colours, as options of images; of many values, of most."""
    values = values[np.isfinite(values)]
    if not len(values):
        return {"vmin": 0.0, "vmax": 1.0}
    share = 0.002 if len(values) > 200 else 0.0
    low, high = np.quantile(values, [share, 1 - share])
    return {"vmin": float(low), "vmax": float(high) if high > low else float(low) + 1}


def tile(ax, values, left, top, width=None, height=None, **options):
    """Draw an image, or a heat map, at a place of axes.

    Places are in cells, from the upper left; axes with tiles are set up by `frame`.

    Parameters
    ----------
    ax : Axes
    values : ndarray of shape (n_rows, n_columns) or (n_rows, n_columns, n_channels)
    left, top : float
    width, height : float, default=None
        None is a cell for each value.
    **options : dict
        For ``imshow``.
    """
    width = values.shape[1] if width is None else width
    height = values.shape[0] if height is None else height
    extent = (left, left + width, top + height, top)
    options = {"aspect": "auto", "interpolation": "nearest", **options}
    return ax.imshow(values, extent=extent, origin="upper", **options)


def frame(ax, width, height, aspect="auto"):
    """Set the limits of axes with tiles, and leave out their spines and ticks."""
    ax.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[], aspect=aspect)
    ax.spines[:].set_visible(False)
    ax.grid(False)


def inches_of(ax):
    """Width and height of axes in inches, before labels take some of it."""
    box, within = ax.get_position(), ax.figure.bbox
    pixels = np.array([within.width * box.width, within.height * box.height])
    return pixels / ax.figure.dpi


def wrapped(text, ax, is_x=False, share=1.0):
    """A label in as many lines as it needs beside axes, or below them.

    What is in brackets gets lines of its own, if all is too long for one. A share of
    the axes' size may be all that there is room for.
    """
    most = max(int(share * _LETTERS * inches_of(ax)[0 if is_x else 1]), 16)
    head, bracket, tail = text.partition(" (") if len(text) > most else (text, "", "")
    parts = [head, *([f"({tail}"] if bracket else [])]
    return "\n".join(line for part in parts for line in textwrap.wrap(part, most))


def color_bar(image, ax, label, extend="neither", **options):
    """A colour bar beside the axes, with a label."""
    options = {"shrink": 0.9, "pad": 0.02, "aspect": 30, **options}
    bar = ax.figure.colorbar(image, ax=ax, extend=extend, **options)
    bar.set_label(wrapped(label, ax, share=options["shrink"] * _LEFT))
    bar.outline.set_visible(False)
    return bar


def spans_decades(values, factor=20.0):
    """Whether values are all above 0, and the largest many times the smallest."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    return len(values) > 1 and values.min() > 0 and values.max() / values.min() > factor


def plain_log(axis, values):
    """A logarithmic scale of an axis, whose ticks are plain numbers.

    Parameters
    ----------
    axis : Axis
    values : array-like
        What is drawn, above 0.
    """
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
    decades = np.log10(np.max(values) / np.min(values))
    subs = (1.0, 2.0, 5.0) if decades < 3 else (1.0,)
    axis.set_major_locator(LogLocator(subs=subs, numticks=12))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())
