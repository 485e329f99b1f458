"""Bytecode in the functions' zips: what is added, how Python uses it, and when it is left out."""

import hashlib
import json
import marshal
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.function_bytecode import BytecodeError, add_bytecode, main
from scripts.lib.project import ROOT

PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
HANDLER = '''"""A handler."""

from helpers.words import WORDS


def handler(event, context):
    """Raise ZeroDivisionError for the divisor 0."""
    return {"statusCode": len(WORDS) / event["divisor"]}
'''
SOURCES = {
    "handlers/one/handler.py": HANDLER,
    "helpers/__init__.py": "",
    "helpers/words.py": "WORDS = {'a', 'few', 'words', 'in', 'a', 'set', (1, 'b')} | {'c'}\n",
    "helpers/words.txt": "not Python:",
}
# An audit hook sees everything that Python compiles.
IMPORT = """
import sys
compiled = []
sys.addaudithook(lambda event, args: compiled.append(args[1]) if event == "compile" else None)
from handlers.one.handler import handler
modules = [name for name in compiled if name.endswith(".py")]
import json
print(json.dumps([modules, handler.__code__.co_filename]))
handler({"divisor": 0}, None)
"""
# Constructs the plugin and calls its hook, as the deployer does.
PACKAGE = """
const [, plugin, request] = process.argv;
const { serviceDir, provider, functions, packaging, names } = JSON.parse(request);
const Plugin = require(plugin);
const service = {
  provider,
  package: packaging,
  getAllFunctions: () => Object.keys(functions),
  getFunction: (name) => functions[name],
};
const log = { warning: (text) => console.log(text) };
const made = new Plugin({ serviceDir, service, classes: { Error } }, { function: names[0] }, { log });
const event = names.length ? 'function:package' : 'createDeploymentArtifacts';
made.hooks[`after:package:${event}`]().catch((error) => {
  console.log(`error: ${error.message}`);
  process.exitCode = 1;
});
"""


def make_zip(path: Path, sources: dict[str, str]) -> Path:
    """Write a zip as the deployer does."""
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in sources.items():
            archive.writestr(name, text)
    return path


def names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def bytecode(names: set[str]) -> set[str]:
    return {name for name in names if name.endswith(".pyc")}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run_unzipped(archive: Path, folder: Path) -> tuple[list[str], str, str]:
    """Import the handler from an unpacked zip; return what was compiled, its file, a traceback."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    result = subprocess.run(
        [sys.executable, "-B", "-S", "-c", IMPORT],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ZeroDivisionError" in result.stderr, result.stderr
    compiled, file = json.loads(result.stdout)
    return compiled, file, result.stderr


def test_a_zip_gets_the_bytecode_of_its_modules(tmp_path: Path) -> None:
    """Every source is unchanged, its bytecode is beside it, and nothing else is added."""
    archive = make_zip(tmp_path / "one.zip", SOURCES)
    add_bytecode(archive)
    tag = sys.implementation.cache_tag
    assert names(archive) == {
        *SOURCES,
        f"handlers/one/__pycache__/handler.{tag}.pyc",
        f"helpers/__pycache__/__init__.{tag}.pyc",
        f"helpers/__pycache__/words.{tag}.pyc",
    }
    with zipfile.ZipFile(archive) as opened:
        assert {name: opened.read(name).decode() for name in SOURCES} == SOURCES
        content = opened.read(f"handlers/one/__pycache__/handler.{tag}.pyc")
    assert content[4:8] == b"\x03\0\0\0"  # checked by hash
    code = marshal.loads(content[16:])  # noqa: S302 - this test wrote it
    assert code.co_filename == "/var/task/handlers/one/handler.py"
    assert [path.name for path in tmp_path.iterdir()] == ["one.zip"]


def test_nothing_is_compiled_when_the_function_starts(tmp_path: Path) -> None:
    """Python imports the bytecode without compiling, and a traceback still quotes the source."""
    bare = make_zip(tmp_path / "bare.zip", SOURCES)
    compiled, _, _ = run_unzipped(bare, tmp_path / "bare")
    assert len(compiled) == 3  # otherwise the hook does not work

    archive = make_zip(tmp_path / "one.zip", SOURCES)
    add_bytecode(archive)
    compiled, file, traceback = run_unzipped(archive, tmp_path / "one")
    assert compiled == []
    # Python replaces the path in the bytecode by that of the module's file.
    assert file.endswith("handlers/one/handler.py")
    assert 'return {"statusCode": len(WORDS) / event["divisor"]}' in traceback
    assert "~~~^~~~" in traceback


def test_an_edited_source_runs(tmp_path: Path) -> None:
    """If a source is edited after deployment, as in AWS's console, its bytecode is not used."""
    archive = make_zip(tmp_path / "one.zip", SOURCES)
    add_bytecode(archive)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    (tmp_path / "helpers" / "words.py").write_text("WORDS = 'edited'\n")
    command = [sys.executable, "-B", "-c", "from helpers.words import WORDS; print(WORDS)"]
    assert subprocess.check_output(command, cwd=tmp_path, text=True) == "edited\n"


def test_existing_bytecode_is_replaced(tmp_path: Path) -> None:
    """Files of `__pycache__` that a pattern has packaged are replaced, not kept or duplicated."""
    archive = make_zip(
        tmp_path / "one.zip",
        {
            "one.py": "",
            "__pycache__/one.cpython-310.pyc": "old",
            "__pycache__/gone.cpython-313.pyc": "old",
        },
    )
    add_bytecode(archive)
    assert names(archive) == {"one.py", f"__pycache__/one.{sys.implementation.cache_tag}.pyc"}
    before = sha256(archive)
    add_bytecode(archive)
    assert sha256(archive) == before


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("\n\ndef handler(:\n", "line 3: invalid syntax"),
        ("x = '\0'\n", "null bytes"),
        ("# coding: nonsense\n", "unknown encoding: nonsense"),
    ],
)
def test_a_source_that_is_not_python_is_named(
    tmp_path: Path, source: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names file, line and reason, and the zip is unchanged."""
    archive = make_zip(tmp_path / "one.zip", SOURCES | {"helpers/words.py": source})
    before = sha256(archive)
    with pytest.raises(BytecodeError, match=r"helpers/words\.py is not valid Python 3") as raised:
        add_bytecode(archive)
    assert reason in str(raised.value)
    assert sha256(archive) == before
    assert [path.name for path in tmp_path.iterdir()] == ["one.zip"]
    assert main(str(archive)) == 1
    assert capsys.readouterr().err == f"{raised.value}\n"


class Service:
    """A service that the deployer has packaged, for scripts/bytecode.cjs.

    Parameters
    ----------
    folder : pathlib.Path
        The project's folder.
    *zips : str
        Names of functions that have a zip.
    """

    def __init__(self, folder: Path, *zips: str) -> None:
        self.folder = folder
        self.provider = {"runtime": PYTHON}
        self.packaging: dict[str, str] = {}
        self.zips = {
            name: make_zip(folder / ".serverless" / f"{name}.zip", SOURCES) for name in zips
        }
        self.functions: dict[str, dict[str, Any]] = {
            name: {"package": {"artifact": str(path)}} for name, path in self.zips.items()
        }

    def package(self, *only: str, path: str | None = None) -> tuple[int, str]:
        """Call the plugin as the deployer does; return the exit status and the output."""
        request = {
            "serviceDir": str(self.folder),
            "provider": self.provider,
            "functions": self.functions,
            "packaging": self.packaging,
            "names": only,
        }
        plugin = str(ROOT / "scripts" / "bytecode.cjs")
        node = shutil.which("node")
        assert node, "the deployer needs Node.js"
        found = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        result = subprocess.run(
            [node, "-e", PACKAGE, plugin, json.dumps(request)],
            # The plugin must not pass Python's variables on to the program that compiles.
            env={**os.environ, "PATH": path or found, "PYTHONHASHSEED": "7", "PYTHONOPTIMIZE": "2"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not result.stderr
        return result.returncode, result.stdout

    def with_bytecode(self) -> set[str]:
        """Return the names of the zips that hold bytecode."""
        return {name for name, path in self.zips.items() if bytecode(names(path))}


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """Two functions."""
    return Service(tmp_path, "one", "two")


def test_the_deployer_adds_bytecode_to_every_function(service: Service) -> None:
    """After packaging, each zip holds bytecode, and equal sources make equal zips."""
    assert service.package() == (0, "")
    assert service.with_bytecode() == {"one", "two"}
    assert sha256(service.zips["one"]) == sha256(service.zips["two"])


def test_a_single_function_gets_the_same_bytecode(tmp_path: Path, service: Service) -> None:
    """`deploy function` makes the same zip as `deploy`, for this function only."""
    service.package("one")
    assert service.with_bytecode() == {"one"}
    (tmp_path / "another").mkdir()
    another = Service(tmp_path / "another", "one", "two")
    another.package()
    assert sha256(another.zips["one"]) == sha256(service.zips["one"])


def test_other_packages_are_unchanged(tmp_path: Path, service: Service) -> None:
    """Functions on other runtimes or in images, and zips that serverless.yml names, get none."""
    service.functions["two"]["runtime"] = "nodejs22.x"
    given = make_zip(tmp_path / "given.zip", SOURCES)
    service.functions["given"] = {"package": {"artifact": str(given)}}
    service.functions["image"] = {"image": "an-image"}
    assert service.package() == (0, "")
    assert service.with_bytecode() == {"one"}
    assert not bytecode(names(given))


@pytest.mark.parametrize("runtime", ["nodejs22.x", "provided.al2023"])
def test_other_runtimes_need_no_bytecode(service: Service, runtime: str) -> None:
    """If the provider's runtime is not Python, nothing is added and nothing reported."""
    service.provider["runtime"] = runtime
    assert service.package() == (0, "")
    assert service.with_bytecode() == set()


def test_a_zip_that_all_functions_share_gets_bytecode(service: Service) -> None:
    """A zip of the whole service gets bytecode too."""
    service.packaging["artifact"] = str(service.zips["two"])
    service.functions = {"first": {}, "second": {}}
    assert service.package() == (0, "")
    assert service.with_bytecode() == {"two"}


@pytest.mark.parametrize("python", [None, "#!/bin/sh\nexit 127\n", "#!/bin/sh\necho cpython-27\n"])
def test_a_missing_interpreter_is_reported(
    tmp_path: Path, service: Service, python: str | None
) -> None:
    """The sources are packaged without bytecode, and one line says what to install, and how.

    Interpreters of other versions and pyenv's shims for missing versions are not used.
    """
    tools = tmp_path / "tools"
    tools.mkdir()
    if python:
        for name in (PYTHON, "python3", "python"):
            (tools / name).write_text(python)
            (tools / name).chmod(0o755)
    before = {path: sha256(path) for path in service.zips.values()}
    status, shown = service.package(path=str(tools))
    assert status == 0
    version = PYTHON.removeprefix("python")
    assert "are packaged without bytecode" in shown
    assert f"Python {version} was not found" in shown
    assert f"PYTHON_VERSION={version} ./scripts/build-layer" in shown
    assert shown.count("\n") == 1
    assert {path: sha256(path) for path in service.zips.values()} == before


def test_the_projects_environment_is_enough(tmp_path: Path, service: Service) -> None:
    """The interpreter in `.venv` is found without one on PATH."""
    environment = tmp_path / ".venv" / "bin"
    environment.mkdir(parents=True)
    (environment / "python").symlink_to(sys.executable)
    assert service.package(path=str(tmp_path)) == (0, "")
    assert service.with_bytecode() == {"one", "two"}


def test_a_mistake_in_a_function_stops_the_deployer(service: Service) -> None:
    """A syntax error, which Lambda would also fail on, is reported with zip, file and line."""
    make_zip(service.zips["two"], SOURCES | {"helpers/words.py": "x = 1\ny = (\n"})
    status, shown = service.package()
    assert status == 1
    assert shown.startswith(
        "error: two.zip could not be packaged: helpers/words.py is not valid Python 3."
    )
    assert "line 2: '(' was never closed" in shown
    assert "Traceback" not in shown
    assert service.with_bytecode() == {"one"}
