"""Sphinx configuration; the API pages are made from what the package exports."""

import doctest
import inspect
import pkgutil
import shutil
from importlib import import_module
from pathlib import Path

import matplotlib
from sphinx_gallery.sorting import ExplicitOrder

import skae

matplotlib.use("agg")

HERE = Path(__file__).parent
GENERATED = HERE / "generated"

project = "skae"
author = "the skae developers"
copyright = author
release = version = skae.__version__
language = "en_GB"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.extlinks",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "auto_examples/*.ipynb"]
extlinks = {"doi": ("https://doi.org/%s", "doi:%s")}
numpydoc_show_class_members = False
autodoc_default_options = {"member-order": "bysource"}
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
highlight_language = "python"
# Exceptions' messages are checked too; long ones are broken into lines.
doctest_default_flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

# Groups of the gallery and their examples, in the order in which they are shown.
GALLERY = {
    "start": ["map", "loss", "code_size"],
    "features": ["features", "text", "grid_search", "bias_variance"],
    "images": ["denoising", "photograph", "variational", "sparse", "contractive"],
    "outliers": ["outliers", "machine"],
    "tables": ["filling", "odd_cells", "table_features"],
    "compression": ["compression", "retrieval"],
    "networks": ["own_network", "convolutional"],
    "scale": ["partial_fit", "cluster"],
}
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "subsection_order": ExplicitOrder([f"../examples/{group}" for group in GALLERY]),
    "within_subsection_order": ExplicitOrder(
        [f"plot_{name}.py" for names in GALLERY.values() for name in names]
    ),
    "image_srcset": ["2x"],
    "thumbnail_size": (640, 448),
    "gallery_dirs": "auto_examples",
    "backreferences_dir": "auto_examples/backreferences",
    "doc_module": ("skae",),
    "ignore_pattern": r"^(?!.*plot_)",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
    "image_scrapers": ("matplotlib",),
}

html_theme = "pydata_sphinx_theme"
html_title = "skae"
html_static_path = ["_static"]
html_css_files = ["skae.css"]
html_show_sourcelink = False
html_copy_source = False
PAGES = (
    "index",
    "start",
    "family",
    "tables",
    "detection",
    "production",
    "network",
    "write_your_own",
    "how_it_works",
    "architecture",
    "benchmarks",
    "defaults",
)
html_sidebars = {page: [] for page in PAGES}
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
}


def public_modules():
    """The public modules of the package, by name."""
    names = [module.name for module in pkgutil.iter_modules(skae.__path__)]
    return [import_module(f"skae.{name}") for name in names if name[0] != "_"]


def section(title, text, module, names, directive="module"):
    """One role of the API: a heading, a sentence and a table of summaries."""
    table = "\n".join(f"   {name}" for name in names)
    return f"""{title}
{"-" * len(title)}

{text}

.. {directive}:: {module}

.. autosummary::
   :toctree: .
   :nosignatures:

{table}
"""


def api_page():
    """The API by role, from every ``__all__``; nothing in it is listed by hand."""
    exported = {name: getattr(skae, name) for name in skae.__all__}
    tools = [name for name, thing in exported.items() if not hasattr(thing, "fit")]
    estimators = [name for name in exported if name not in tools]
    parts = [
        "API\n===\n",
        section("Estimators", "What you fit to data.", "skae", estimators),
    ]
    if tools:
        text = "What you use around them."
        parts.append(section("Tools", text, "skae", tools, "currentmodule"))
    for module in public_modules():
        line = inspect.getdoc(module).splitlines()[0]
        title, _, text = line.rpartition(": ")
        title = title or module.__name__.partition(".")[2].capitalize()
        sentence = text[0].upper() + text[1:]
        names = [name for name in module.__all__ if name not in exported]
        parts.append(section(title, sentence, module.__name__, names))
    return "\n".join(parts)


def skip_foreign(app, what, name, thing, skip, options):
    """Leave out what scikit-learn and torch give to classes, and properties.

    Properties are described among the attributes.
    """
    module = getattr(thing, "__module__", None) or ""
    own = inspect.isfunction(thing) and module.split(".")[0] == "skae"
    return None if own else True


def setup(app):
    app.connect("autodoc-skip-member", skip_foreign)


shutil.rmtree(GENERATED, ignore_errors=True)
GENERATED.mkdir()
(GENERATED / "api.rst").write_text(api_page())
