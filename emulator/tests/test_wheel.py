"""The package as a release ships it: built, installed into an empty environment, and started."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import psutil
import pytest
from conftest import LocalStack, create_function, free_port, wait_for

ROOT = Path(__file__).parent.parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
# Prints where Python finds the package, and what the installer has recorded about its origin.
WHERE = """
import json
from importlib import metadata, resources
import localstack_parity
origin = json.loads(metadata.distribution("localstack-parity").read_text("direct_url.json"))
typed = resources.files(localstack_parity).joinpath("py.typed").is_file()
print(json.dumps({"file": localstack_parity.__file__, "origin": origin, "typed": typed}))
"""


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a program outside of the checkout's environment; return its output."""
    result = subprocess.run(
        command, cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"{command}:\n{result.stdout}{result.stderr}"
    return result.stdout


def clean_environment() -> dict[str, str]:
    """Return this process's variables, without those that lead Python to other packages."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and name != "VIRTUAL_ENV"
    }
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}  # the environment is used only once


@pytest.fixture(scope="module")
def uv() -> str:
    """The installer: the variable UV names it, or it is on PATH."""
    for candidate in filter(None, (os.environ.get("UV"), shutil.which("uv"))):
        # One of pyenv's shims may be on PATH and fail when it is called.
        if subprocess.run([candidate, "--version"], capture_output=True).returncode == 0:
            return candidate
    pytest.fail(
        "this test needs uv: put it on PATH, or set the variable UV to its path, as "
        "`./scripts/test` does"
    )


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built by the locked hatchling without a network."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    return distributions / f"localstack_parity-{VERSION}-py3-none-any.whl"


@pytest.fixture
def environment(uv: str, wheel: Path, tmp_path: Path) -> Iterator[Path]:
    """An environment that contains what the lock names and the wheel, and nothing else."""
    folder = tmp_path / "environment"
    python = folder / "bin" / "python"
    install = (uv, "pip", "install", "-q", "--no-compile-bytecode", "--python", python)
    try:
        run(uv, "venv", "-q", "--no-project", "--python", sys.executable, folder)
        run(*install, "--require-hashes", "-r", ROOT / "requirements.lock")
        run(*install, "--no-deps", "--no-index", wheel)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # half a gigabyte, which pytest would keep


def test_the_wheel_contains_the_package_and_its_licence(wheel: Path) -> None:
    """No file of the package is missing, and the metadata leads to the project."""
    package = ROOT / "localstack_parity"
    files = {
        str(path.relative_to(ROOT))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    information = f"localstack_parity-{VERSION}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.startswith(information)}
        licence = archive.read(f"{information}/licenses/LICENSE")
        metadata = Parser().parsestr(archive.read(f"{information}/METADATA").decode())
    assert names == files
    assert "localstack_parity/py.typed" in names
    assert licence == (ROOT / "LICENSE").read_bytes()
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "Typing :: Typed" in metadata.get_all("Classifier")
    links = dict(link.split(", ") for link in metadata.get_all("Project-URL"))
    assert set(links) >= {"Homepage", "Changelog", "Source", "Issues"}


def test_the_sdist_contains_what_a_build_and_the_tests_need(distributions: Path) -> None:
    """The sdist has the sources, the tests, the lock and the licence, and nothing local."""
    with tarfile.open(distributions / f"localstack_parity-{VERSION}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        *("LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "requirements.lock"),
        *("localstack_parity/py.typed", "localstack_parity/cli.py", "tests/test_wheel.py"),
    } <= names
    assert not [name for name in names if name.startswith((".venv", ".runtimes", "dist"))]


@pytest.mark.timeout(300)
def test_an_installed_wheel_runs_functions_and_leaves_no_process(
    environment: Path, wheel: Path, tmp_path: Path
) -> None:
    """The wheel needs nothing of the checkout: it starts LocalStack, which runs a function."""
    program = environment / "bin" / "localstack-parity"
    found = json.loads(run(environment / "bin" / "python", "-I", "-c", WHERE, cwd=tmp_path))
    assert Path(found["file"]).is_relative_to(environment)
    assert found["origin"]["url"] == wheel.as_uri()
    assert "editable" not in found["origin"].get("dir_info", {})
    assert found["typed"]

    port, log = free_port(), tmp_path / "localstack.log"
    with log.open("wb") as target:
        process = subprocess.Popen(
            [program, "start", "--port", str(port), "--state-dir", str(tmp_path / "state")],
            cwd=tmp_path,
            env=clean_environment(),
            stdout=target,
            stderr=target,
        )
    try:
        localstack = LocalStack(process, port, tmp_path / "state")
        wait_for(lambda: responds(localstack, log), 90, "LocalStack")
        info = localstack.info()
        assert info["executor"] == "process"
        assert info["version"] == VERSION
        assert info["pid"] == process.pid
        assert run(program, "check", "--port", str(port)) == "executor: process\n"
        function = create_function(localstack, "def handler(event, context):\n    return event\n")
        assert function.invoke("hello")[0] == "hello"
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        localstack.stop()
        assert process.returncode == 0
        assert psutil.wait_procs(children, timeout=10)[1] == []
    finally:
        process.kill()
        process.wait()


def responds(localstack: LocalStack, log: Path) -> bool:
    assert localstack.process.poll() is None, log.read_text()
    try:
        return bool(localstack.info())
    except OSError:
        return False
