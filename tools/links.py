"""Check the links of the built documentation: pages and anchors that are linked exist.

``python tools/links.py docs/_build/html`` prints what is missing. Links to elsewhere
are checked by ``make linkcheck``, for which a network is needed.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The anchors of a page, and the links and pictures on it."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes.get("id"), attributes.get("name")}
        for name in ("href", "src"):
            if attributes.get(name):
                self.links.add(attributes[name])


def missing(folder):
    """What pages link to that there is not.

    Parameters
    ----------
    folder : Path
        Where the pages were built.

    Returns
    -------
    list of str
        The page and the link, of each link without an end.
    """
    folder = folder.resolve()
    paths = [p for p in folder.rglob("*.html") if p.parent.name != "_static"]
    pages = {path: Page(path.read_text()) for path in paths}
    lost = []
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link == "#":
                continue
            target = path
            if parts.path:
                target = (path.parent / unquote(parts.path)).resolve()
            anchor = unquote(parts.fragment)
            is_lost = not target.exists()
            if anchor and target in pages:
                is_lost = anchor not in pages[target].anchors
            if is_lost:
                lost.append(f"{path.relative_to(folder)}: {link}")
    return lost


if __name__ == "__main__":
    lost = missing(Path(sys.argv[1]))
    print("\n".join(lost))
    sys.exit(bool(lost))
