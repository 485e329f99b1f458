"""Imports point downward only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.lib.project import ROOT
from tests.helpers.imports import imports

OURS = {
    "sklearn_api", "handlers", "training", "scripts", "benchmarks", "localstack_parity", "tests",
}  # fmt: skip
# The parts of the project that each part may import.
ALLOWED = {
    "sklearn_api": {"sklearn_api"},
    "handlers": {"sklearn_api"},
    "training": {"training", "sklearn_api"},
    "scripts": {"scripts", "training", "sklearn_api"},
    "benchmarks": {"benchmarks", "scripts", "training", "sklearn_api"},
    "emulator/localstack_parity": {"localstack_parity"},
}
# The rooms of the package, and the modules of each room: each may import those before it.
ROOMS: dict[str, list[str]] = {
    "errors": [],
    "settings": [],
    "utils": [],
    "calibration": [],
    "signature": [],
    "rows": [],
    "model": [],
    "artifact": [
        "archive",
        "header",
        "arrays",
        "vocabulary",
        "trusted",
        "names",
        "checks.splines",
        "checks.support_vectors",
        "checks.trees",
        "construct",
    ],
    "compiled": ["terms", "ngrams", "analyzers", "scoring", "tasks", "plan", "model"],
    "lazy_imports": [],
    "sklearn_model": [],
    "load": [],
    "http": [],
    "sigv4": [],
    "s3": [],
    "store": [],
    "current": [],
    "instances": [],
    "answers": [],
    "failures": [],
    "endpoint": [],
    "health": [],
    "prediction": [],
}
ORDER = [
    f"sklearn_api.{room}{f'.{module}' if module else ''}"
    for room, modules in ROOMS.items()
    for module in modules or [""]
]
FACTORIES = {"sklearn_api.health", "sklearn_api.prediction"}


def package_modules() -> Iterator[tuple[str, Path]]:
    """Yield the name and the file of each module of the package, except the `__init__` modules."""
    for path in sorted((ROOT / "sklearn_api").rglob("*.py")):
        if path.name != "__init__.py":
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


@pytest.mark.parametrize("part", ALLOWED)
def test_parts_import_downward(part: str) -> None:
    """No part of the project imports one above it."""
    files = list((ROOT / part).rglob("*.py"))
    assert files
    for path in files:
        found = {name.split(".")[0] for name in imports(path)} & OURS
        assert found <= ALLOWED[part], path


def test_modules_of_the_package_import_downward() -> None:
    """Inside `sklearn_api`, rooms and the modules inside them import only those below them."""
    modules = dict(package_modules())
    assert sorted(modules) == sorted(ORDER)
    for number, module in enumerate(ORDER):
        for name in imports(modules[module]):
            if name.startswith("sklearn_api."):
                assert name in ORDER[:number], f"{module} imports {name}"


def test_init_modules_import_nothing() -> None:
    """Importing `sklearn_api` or one of its subpackages imports nothing else."""
    packages = list((ROOT / "sklearn_api").rglob("__init__.py"))
    assert len(packages) == 4
    for path in packages:
        assert list(imports(path)) == [], path


def test_only_the_factories_of_endpoints_use_the_environment() -> None:
    """The factories of endpoints pass the environment to `Settings`; no other code uses it."""
    for module, path in package_modules():
        tree = ast.parse(path.read_text())
        uses = [
            node
            for node in ast.walk(tree)
            if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"))
            or (isinstance(node, ast.alias) and node.name in ("environ", "environb", "getenv"))
        ]
        passed_on = [
            node.args[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Settings.from_environ"
        ]
        assert uses == passed_on, module
        assert [ast.unparse(use) for use in uses] == ["os.environ"] * (module in FACTORIES), module


def test_nothing_is_unpickled() -> None:
    """No code of the project loads a pickle, with any library.

    The exceptions are benchmarks that compare artifacts with pickles, and the peers that they
    start: they load only pickles that they have just made themselves. `python -m training import
    --trust-pickle` loads one that the user trusts, in a process of its own, and no module imports
    the one that does it.
    """
    benchmarks = ROOT / "benchmarks"
    exceptions = {
        ROOT / "training/importing/pickled.py",
        benchmarks / "artifact.py",
        benchmarks / "pickles.py",
        *(
            benchmarks / "peers/services" / name
            for name in ("fastapi/app.py", "bentoml/service.py")
        ),
    }
    for part in ALLOWED:
        for path in (ROOT / part).rglob("*.py"):
            assert "training.importing.pickled" not in set(imports(path)), path
            if path in exceptions:
                continue
            assert not {"pickle", "joblib", "dill", "cloudpickle"} & set(imports(path)), path
            keywords = [
                keyword
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Call)
                for keyword in node.keywords
                if keyword.arg == "allow_pickle"
            ]
            for keyword in keywords:
                assert ast.unparse(keyword.value) == "False", path
