"""API pages by role, made from what the package exports."""

import importlib
import inspect
import pkgutil
from operator import attrgetter

import skae

# Pages that put names of several modules together: title, text, names. All other
# names are on the pages of their modules.
ROLES = (
    (
        "Transformers",
        "Autoencoders: rows to codes, and back.",
        "AutoencoderTransformer DenoisingAutoencoderTransformer "
        "SparseAutoencoderTransformer ContractiveAutoencoderTransformer "
        "VariationalAutoencoderTransformer",
    ),
    ("Imputation", "Missing cells, filled.", "AutoencoderImputer"),
    (
        "Anomaly detection",
        "Rows that are unusual, times that are, and why.",
        "AutoencoderOutlierDetector detection.WindowedDetector "
        "detection.align_to_times detection.cut_windows",
    ),
    (
        "Files and deployment",
        "Fitted models as files, as graphs of ONNX and as codecs.",
        "load to_onnx Codec",
    ),
    (
        "Exceptions",
        "Errors that are raised at users, to be caught by name.",
        "InvalidFileError exceptions.DivergenceError",
    ),
)
PAGE = """{title}
{line}

{modules}

{text}

.. autosummary::
   :toctree: .
   :nosignatures:

{table}
"""
SECTION = """.. rubric:: :doc:`{title} <{name}>`

{text}

.. autosummary::
   :nosignatures:

{table}
"""


def public_modules():
    """The public modules of the package."""
    names = [module.name for module in pkgutil.iter_modules(skae.__path__)]
    return [importlib.import_module(f"skae.{name}") for name in names if name[0] != "_"]


def pages():
    """For each page of the API its name, title, text, module and full names."""
    placed = []
    for title, text, names in ROLES:
        names = names.split()
        placed += [attrgetter(name)(skae) for name in names]
        full = [f"skae.{name}" for name in names]
        yield title.lower().replace(" ", "_"), title, text, None, full
    for module in public_modules():
        left = [name for name in module.__all__ if getattr(module, name) not in placed]
        if left:
            placed += [getattr(module, name) for name in left]
            title, _, text = inspect.getdoc(module).splitlines()[0].rpartition(": ")
            short = module.__name__.partition(".")[2]
            title = title or short.capitalize()
            text = f"``{module.__name__}``: {text[0].lower()}{text[1:]}"
            full = [f"{module.__name__}.{name}" for name in left]
            yield short, title, text, module.__name__, full
    if lost := [name for name in skae.__all__ if getattr(skae, name) not in placed]:
        raise ValueError(
            f"docs/_ext/api.py has no page for {lost}: name them in ROLES."
        )


def write(folder):
    """Write the pages of the API, and one with all of them.

    Returns
    -------
    list of str
        The pages, for which autosummary writes a page for each name.
    """
    folder.mkdir()
    sections, names = [], []
    others = ["skae", "skae.detection", "skae.exceptions"]  # described once
    for name, title, text, module, full in pages():
        described = [module] if module else others
        current = module or "skae"
        lines = [f".. module:: {each}" for each in described]
        lines.append(f".. currentmodule:: {current}")
        others = others if module else []
        page = {"title": title, "line": "=" * len(title), "text": text}
        page["modules"] = "\n\n".join(lines)
        short = [each.removeprefix(f"{current}.") for each in full]
        page["table"] = "\n".join(f"   {each}" for each in short)
        (folder / f"{name}.rst").write_text(PAGE.format(**page))
        page["table"] = "\n".join(f"   ~{each}" for each in full)
        sections.append(SECTION.format(name=name, **page))
        names.append(f"   {name}")
    head = "API reference\n=============\n\nEvery public name, by its role.\n"
    toctree = "\n".join([".. toctree::", "   :hidden:", "", *names])
    (folder / "api.rst").write_text("\n".join([head, *sections, toctree]))
    return [f"{folder.name}/{name.strip()}.rst" for name in names]


def inherited_by_class():
    """For each public class the methods that it has from scikit-learn."""
    names = [name for *_, full in pages() for name in full]
    things = {name: attrgetter(name.removeprefix("skae."))(skae) for name in names}
    return {name: inherited(c) for name, c in things.items() if inspect.isclass(c)}


def inherited(cls):
    """The methods that a class has from scikit-learn.

    Returns
    -------
    list of tuple of str
        Name, name of the public class of scikit-learn that documents it, summary.
    """
    found = []
    for name in dir(cls):
        owner = next(base for base in cls.__mro__ if name in vars(base))
        if name[0] == "_" or owner.__module__.split(".")[0] != "sklearn":
            continue
        # Methods of private mixins are documented at the public classes made of them.
        public = [
            f"sklearn.base.{base.__name__}"
            for base in cls.__mro__
            if base.__module__ == "sklearn.base" and issubclass(base, owner)
        ]
        package = ".".join(owner.__module__.split(".")[:2])
        named = [f"{package}.{owner.__name__}", *public][-1]
        doc = inspect.getdoc(inspect.getattr_static(owner, name))
        found.append((name, named, doc.partition("\n")[0]))
    return found
