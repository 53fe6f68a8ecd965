"""Links to other projects' documentation, to the source, and for search engines."""

import importlib
import inspect
import os
from html import escape
from pathlib import Path

from docutils import nodes
from sklearn.experimental import (  # noqa: F401
    enable_halving_search_cv,  # names of scikit-learn that are there once asked for
    enable_iterative_imputer,
)
from sphinx.errors import ExtensionError

import skae

REPOSITORY = "https://github.com/skae-developers/skae"
# Where projects have the page of a name. Inventories of intersphinx would have to be
# fetched; these addresses are the same on a machine without network.
PAGES = {
    "sklearn": "https://scikit-learn.org/stable/modules/generated/{name}.html",
    "torch": "https://docs.pytorch.org/docs/stable/generated/{name}.html",
    "numpy": "https://numpy.org/doc/stable/reference/generated/{name}.html",
    "pandas": "https://pandas.pydata.org/docs/reference/api/{name}.html",
    "scipy": "https://docs.scipy.org/doc/scipy/reference/generated/{name}.html",
    "matplotlib": "https://matplotlib.org/stable/api/_as_gen/{name}.html",
    "skorch": "https://skorch.readthedocs.io/en/stable/",
}


def found(name):
    """The object of a full name, and whether it is a method of a class."""
    parts = name.split(".")
    for i in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:i]))
        except ImportError:
            continue
        owner = None
        for part in parts[i:]:
            owner, thing = thing, getattr(thing, part)
        return thing, inspect.isclass(owner)
    raise ImportError(f"No module is called {parts[0]}.")


def link_foreign(app, env, node, content):
    """Link a name of another project to its page there.

    Raises
    ------
    ExtensionError
        If the project has no such name.
    """
    target = node["reftarget"]
    project = target.partition(".")[0]
    if node["refdomain"] != "py" or project not in PAGES:
        return None
    try:
        is_method = found(target)[1]
    except (AttributeError, ImportError) as error:
        raise ExtensionError(f"{node.source}: {target} is not in {project}.") from error
    page = target.rpartition(".")[0] if is_method and project != "numpy" else target
    anchor = "" if page == target else f"#{target}"
    uri = PAGES[project].format(name=page) + anchor
    link = nodes.reference("", "", internal=False, refuri=uri, reftitle=target)
    link.append(content)
    return link


def linkcode_resolve(domain, info):
    """The lines of the repository that define a name, or None for what has none."""
    if domain != "py" or not info["module"]:
        return None
    thing = importlib.import_module(info["module"])
    for part in info["fullname"].split("."):
        thing = getattr(thing, part, None)
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if not getattr(thing, "__module__", "").startswith("skae"):
        return None
    lines, first = inspect.getsourcelines(thing)
    path = os.path.relpath(inspect.getfile(thing), Path(skae.__file__).parents[1])
    return f"{REPOSITORY}/blob/main/{path}#L{first}-L{first + len(lines) - 1}"


def describe(app, pagename, templatename, context, doctree):
    """Tell search engines what a page is about: its first paragraph, if none says."""
    if doctree is None:
        return
    given = [
        node["content"]
        for node in doctree.findall(nodes.meta)
        if node.get("name") == "description"
    ]
    paragraphs = [
        " ".join(node.astext().split())
        for node in doctree.findall(nodes.paragraph)
        if isinstance(node.parent, nodes.section)
    ]
    text = (given or paragraphs or [app.config.project])[0]
    if len(text) > 160:
        text = f"{text[:157].rpartition(' ')[0]} ..."
    tags = {"og:title": context["title"], "og:description": text, "og:type": "website"}
    lines = [
        f'<meta property="{name}" content="{escape(content)}" />'
        for name, content in tags.items()
    ]
    if not given:
        lines.append(f'<meta name="description" content="{escape(text)}" />')
    context["metatags"] = "\n".join([context.get("metatags", ""), *lines])


def setup(app):
    app.connect("missing-reference", link_foreign)
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
