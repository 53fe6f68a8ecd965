"""Pictures as SVG that is part of a page: in its colours and its font, and alone."""

import re
from html import escape
from io import StringIO

_SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "skae",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.facecolor": "none",
    "savefig.facecolor": "none",
}
# Stands for the page's colour of text, which is another one in the dark.
_OF_PAGE = "#010203"
_OF_TEXT = (
    "text.color",
    "axes.edgecolor",
    "axes.labelcolor",
    "xtick.color",
    "ytick.color",
)


def drawn(name, draw, what, height=3.0, width=5.0):
    """What a function draws, as SVG.

    Parameters
    ----------
    name : str
        With which ids begin: another one for each picture of a page.
    draw : callable
        ``draw(ax)``.
    what : str
        The picture shows, for those who don't see it.
    height, width : float
        In inches.

    Returns
    -------
    svg : str
        Without anything that a page has to load; ids are its own.
    """
    try:
        from matplotlib import rc_context, style
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "Reports draw by matplotlib, which is not installed: "
            "pip install 'skae[plot]'. summary() does without."
        ) from error

    # Whatever style the user has set, and without a change to it.
    settings = {**_SETTINGS, **dict.fromkeys(_OF_TEXT, _OF_PAGE)}
    with style.context("default"), rc_context(settings):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.subplots())
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return inline(out.getvalue(), what, f"{name}-")


def inline(svg, label, prefix):
    """An SVG document as an element of a page.

    Parameters
    ----------
    svg : str
    label : str
    prefix : str
        Of ids, of which a page has each once.
    """
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = svg.replace("url(#", f"url(#{prefix}").replace('href="#', f'href="#{prefix}')
    svg = svg.replace(_OF_PAGE, "currentColor")
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)
