"""Sphinx configuration; ``_ext`` makes the API pages and the links to elsewhere."""

import doctest
import inspect
import shutil
import sys
from pathlib import Path

import matplotlib
from sphinx_gallery.sorting import ExplicitOrder

import skae

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import api  # noqa: E402
from links import REPOSITORY, linkcode_resolve  # noqa: E402, F401

matplotlib.use("agg")

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
    "sphinx.ext.linkcode",
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "links",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "auto_examples/*.ipynb"]
extlinks = {"doi": ("https://doi.org/%s", "doi:%s")}
autosummary_context = {"inherited": api.inherited_by_class()}
numpydoc_show_class_members = False
autodoc_default_options = {"member-order": "bysource"}
autodoc_typehints = "none"
# Every reference has to lead somewhere. Properties are described among the attributes
# of their class, and have no place of their own.
nitpicky = True
nitpick_ignore_regex = [("py:obj", r"\w+_")]
toc_object_entries_show_parents = "hide"
highlight_language = "python"
# Exceptions' messages are checked too; long ones are broken into lines.
doctest_default_flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# Prompts and output are left out of what is copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
# Changelog and how to contribute are kept in Markdown, for those who read them there.
myst_heading_anchors = 3
plot_basedir = str(HERE)
plot_html_show_formats = False
plot_html_show_source_link = True
plot_template = """
{{ source_code }}

.. only:: html

   {% for image in images %}
   .. figure:: {{ build_dir }}/{{ image.basename }}.png
      {% for option in options -%}
      {{ option }}
      {% endfor %}
      {{ caption }}
   {% endfor %}

   {% if src_name %}
   .. rst-class:: skae-source

   :download:`Code of the picture <{{ build_dir }}/{{ src_name }}>`
   {% endif %}
"""
plot_formats = [("png", 120)]
plot_rcparams = {"figure.constrained_layout.use": True, "savefig.bbox": "tight"}
plot_apply_rcparams = True

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
html_title = f"skae {release}"
html_favicon = "logo/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["skae.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {
        "image_light": "logo/logo.svg",
        "image_dark": "logo/logo-dark.svg",
        "text": f"skae {release}",
        "alt_text": "skae: home",
    },
    "github_url": REPOSITORY,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "show_toc_level": 2,
    "show_prev_next": True,
}
html_sidebars = {"index": [], "install": []}


def skip_foreign(app, what, name, thing, skip, options):
    """Leave out what scikit-learn and torch give to classes, and properties.

    The former have a table of their own; properties are described among the attributes.
    """
    module = getattr(thing, "__module__", None) or ""
    own = inspect.isfunction(thing) and module.split(".")[0] == "skae"
    return None if own else True


def setup(app):
    app.connect("autodoc-skip-member", skip_foreign)


shutil.rmtree(HERE / "generated", ignore_errors=True)
autosummary_generate = api.write(HERE / "generated")
