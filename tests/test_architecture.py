"""Imports between the packages of skae go one way, as tools/architecture.py says."""

import ast
import functools
import inspect
from pathlib import Path

import pytest
from conftest import estimator_classes, tool

import skae
from skae._names import MODULES as MODULES_OF_NAMES
from skae._names import SUBMODULES

PACKAGE = Path(skae.__file__).parent
ROOT = Path(__file__).parents[1]
MOST_FLOORS = 10
MOST_LINES = 350


ARCHITECTURE = tool("architecture")
PACKAGES = ARCHITECTURE.PACKAGES


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@functools.cache
def imported(module):
    """Full names of what a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def modules_imported(module):
    """Modules of skae that a module imports; a package's name is its __init__."""
    for name in imported(module):
        if name in MODULES:
            yield name
        elif name.rpartition(".")[0] in MODULES:
            yield name.rpartition(".")[0]


def package_of(module):
    """The package or top-level module that a module belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_every_package_is_described_and_exists():
    assert set(PACKAGES) == set(map(package_of, MODULES))
    assert all(package.holds for package in PACKAGES.values())


def test_packages_import_from_those_before_them_only():
    for i, package in enumerate(PACKAGES.values()):
        assert set(package.imports) <= set(list(PACKAGES)[:i])


@pytest.mark.parametrize("module", MODULES)
def test_every_import_is_allowed(module):
    package = package_of(module)
    allowed = {package, *PACKAGES[package].imports}
    assert set(map(package_of, modules_imported(module))) <= allowed


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_is_allowed_that_is_not_needed(package):
    own = [module for module in MODULES if package_of(module) == package]
    used = {package_of(other) for module in own for other in modules_imported(module)}
    assert used - {package} == set(PACKAGES[package].imports)


def longest_chain(name, imports, above=()):
    """The longest chain of names each of which imports the next."""
    assert name not in above, f"a cycle: {(*above, name)}"
    below = [longest_chain(n, imports, (*above, name)) for n in imports(name)]
    return [name, *max(below, key=len, default=[])]


@pytest.mark.parametrize("module", MODULES)
def test_modules_import_each_other_without_a_cycle(module):
    longest_chain(module, modules_imported)


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_stand_on_few_floors(package):
    chain = longest_chain(package, lambda name: PACKAGES[name].imports)
    assert len(chain) <= MOST_FLOORS, " -> ".join(chain)


@pytest.mark.parametrize("module", MODULES)
def test_files_are_short(module):
    assert len(MODULES[module].read_text().splitlines()) <= MOST_LINES


def private_names(module, library):
    """What a module imports from a library's private modules, or private names."""
    for name in imported(module):
        parts = name.split(".")
        if parts[0] == library and any(part.startswith("_") for part in parts):
            yield name


@pytest.mark.parametrize("module", MODULES)
def test_skorch_is_known_to_the_training_only(module):
    libraries = {name.partition(".")[0] for name in imported(module)}
    assert "skorch" not in libraries or package_of(module) == "_training"


@pytest.mark.parametrize("module", MODULES)
def test_private_helpers_of_sklearn_stand_in_one_module(module):
    names = list(private_names(module, "sklearn"))
    assert not names or module == "skae._utils.compat"


@pytest.mark.parametrize("module", MODULES)
def test_private_modules_of_torch_stand_in_few_places(module):
    names = list(private_names(module, "torch"))
    known = module == "skae._utils.random" or package_of(module) == "_inference"
    assert not names or known


@pytest.mark.parametrize("cls", estimator_classes())
def test_every_public_estimator_is_final(cls):
    others = set(estimator_classes()) - {cls}
    assert not others & set(inspect.getmro(cls))


def test_names_for_type_checkers_are_the_public_ones():
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    listed = {alias.asname: node.module for node in block.body for alias in node.names}
    submodules = {name for name, module in listed.items() if module == "skae"}
    assert submodules == set(SUBMODULES)
    assert {n: m for n, m in listed.items() if n not in submodules} == MODULES_OF_NAMES
    for name in (*MODULES_OF_NAMES, *SUBMODULES):
        assert hasattr(skae, name) and name in dir(skae)


@pytest.mark.parametrize("name", ["architecture", "docstrings"])
def test_what_tools_write_is_up_to_date(name):
    found = tool(name).main(only_check=True)
    assert not found, f"run python tools/{name}.py"
