"""Imports point downward only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"sklearn_api", "handlers", "training", "scripts", "localstack_parity", "tests"}
# What a part of the project may import of the others.
ALLOWED = {
    "sklearn_api": {"sklearn_api"},
    "handlers": {"sklearn_api"},
    "training": {"training", "sklearn_api"},
    "scripts": {"scripts", "training", "sklearn_api"},
    "emulator/localstack_parity": {"localstack_parity"},
}
# Inside the package: each module may import those before it.
ORDER = [
    "errors",
    "settings",
    "http",
    "utils",
    "calibration",
    "archive",
    "header",
    "arrays",
    "vocabulary",
    "trusted",
    "support_vectors",
    "trees",
    "rebuild",
    "schema",
    "estimated",
    "terms",
    "runs",
    "analysis",
    "scoring",
    "tasks",
    "plan",
    "compiled",
    "compiler",
    "artifact",
    "s3",
    "store",
    "current",
    "deferred",
    "predictor",
    "endpoint",
]
ORDER += ["health", "prediction"]


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of everything that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module or ""


@pytest.mark.parametrize("part", ALLOWED)
def test_parts_import_downward(part: str) -> None:
    """No part of the project imports one above it."""
    files = list((ROOT / part).rglob("*.py"))
    assert files
    for path in files:
        found = {name.split(".")[0] for name in imports(path)} & OURS
        assert found <= ALLOWED[part], path


def test_modules_of_the_package_import_downward() -> None:
    """Inside `sklearn_api` no module imports one above it."""
    modules = {path.stem for path in (ROOT / "sklearn_api").glob("*.py")} - {"__init__"}
    assert modules == set(ORDER)
    for number, module in enumerate(ORDER):
        for name in imports(ROOT / "sklearn_api" / f"{module}.py"):
            if name.startswith("sklearn_api."):
                assert name.split(".")[1] in ORDER[:number], f"{module} imports {name}"


def test_the_package_itself_imports_nothing() -> None:
    """`import sklearn_api` costs nothing."""
    assert list(imports(ROOT / "sklearn_api" / "__init__.py")) == []


def test_only_the_factories_of_endpoints_touch_the_environment() -> None:
    """Settings are read by `settings.py`, from the mapping that an endpoint's factory hands over."""
    for path in (ROOT / "sklearn_api").glob("*.py"):
        lines = [line for line in path.read_text().splitlines() if "environ" in line]
        if path.stem in ("health", "prediction"):
            assert lines == ["    settings = Settings.from_environ(os.environ)"]
        elif path.stem != "settings":
            assert lines == []


def test_nothing_is_unpickled() -> None:
    """No code of the project loads a pickle, by whatever library.

    But for the benchmarks that compare with pickles: they load those that they have just made
    themselves, and so do the peers that they run.
    """
    scripts = ROOT / "scripts"
    exceptions = {
        scripts / "lib" / "bench_artifact.py",
        scripts / "lib" / "bench" / "pickles.py",
        *(scripts / "peers" / name for name in ("fastapi/app.py", "bentoml/service.py")),
    }
    for part in ALLOWED:
        for path in (ROOT / part).rglob("*.py"):
            if path in exceptions:
                continue
            assert not {"pickle", "joblib", "dill", "cloudpickle"} & set(imports(path)), path
            assert "allow_pickle=True" not in path.read_text()
