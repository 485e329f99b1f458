"""The layer: what it holds, that it works on its own, and that it is built only when needed.

The layers for this machine and for the other architecture are built where the scripts keep them, so
that a second run reuses them. Tests that need no scikit-learn use a layer of one small package,
which takes half a second to build.
"""

import fcntl
import importlib.util
import json
import marshal
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import pytest

from scripts.lib import toolchain
from scripts.lib.layer import build as layers
from scripts.lib.layer.build import Layer, build_layer
from scripts.lib.layer.content import KEPT
from scripts.lib.layer.errors import LayerError
from scripts.lib.layer.limits import RESERVE_BYTES, check_total
from scripts.lib.project import ROOT, SUPPORTED, architecture

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
ELF_MACHINES = {"x86_64": 62, "arm64": 183}  # e_machine, in the ELF header's bytes 18 and 19
UNCHECKED_HASH = (1).to_bytes(4, "little")  # PEP 552
MOST_BYTES = 170_000_000  # unzipped, for every Python and architecture
PATIENT = {"OMP_WAIT_POLICY": "passive"}  # threads that spin are slow on a busy machine


def silent(line: str) -> None:
    """Ignore the report of a step."""


@pytest.fixture(scope="session", autouse=True)
def uv() -> Iterator[None]:
    """Set UV to a uv that works. The launchers do so, but pytest can be started without them."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    folders = [*os.get_exec_path(), str(ROOT / ".local/uv/bin"), *map(str, pyenv.glob("*/bin"))]
    for candidate in filter(None, [os.environ.get("UV"), *(f"{one}/uv" for one in folders)]):
        found = shutil.which(candidate)
        if found and not subprocess.run([found, "--version"], capture_output=True).returncode:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("UV", found)
                yield
            return
    pytest.fail("there is no uv that works; run ./scripts/test, which installs one")


@pytest.fixture(scope="session")
def layer() -> Layer:
    """Return the real layer for this machine."""
    return build_layer(PYTHON, architecture(), root=ROOT, report=silent)


@pytest.fixture(scope="session")
def unzipped(layer: Layer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder like Lambda's ``/opt``."""
    opt = tmp_path_factory.mktemp("opt")
    with zipfile.ZipFile(layer.path) as archive:
        archive.extractall(opt)
    return opt


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a project's folder whose layer holds one small package of the real lock."""
    return project(tmp_path / "small", locked("threadpoolctl"))


def locked(package: str) -> str:
    """Return the entries of one package in the real lock."""
    lock = (ROOT / "requirements" / "layer.lock").read_text()
    found = re.finditer(rf"^{package}==.*(\n    --hash=.*)+", lock, re.MULTILINE)
    entries = [entry[0].rstrip(" \\") for entry in found]
    assert entries
    return "\n".join(entries) + "\n"


def project(root: Path, lock: str) -> Path:
    """Make a project's folder that holds nothing but a lock."""
    (root / "requirements").mkdir(parents=True)
    (root / "requirements" / "layer.lock").write_text(lock)
    return root


def build(root: Path, *, force: bool = False) -> Layer:
    """Build a layer for this machine in a project's folder."""
    return build_layer(PYTHON, architecture(), root=root, force=force, report=silent)


def described(layer: Layer) -> dict[str, Any]:
    """Return a layer's description."""
    found: dict[str, Any] = json.loads(layer.path.with_suffix(".json").read_text())
    return found


def written(root: Path) -> list[str]:
    """Return the names in the layers' folder, without the lock."""
    return sorted(path.name for path in (root / ".local/layer").iterdir() if path.name != ".lock")


def run_alone(opt: Path, program: str, **environment: str) -> str:
    """Run a program that can import only the standard library and the layer; return its output.

    The search path is in the environment, as on AWS, so that the program's child processes have it.
    """
    done = subprocess.run(
        [sys.executable, "-P", "-s", "-S", "-W", "ignore", "-c", program],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(opt / "python"),
            **PATIENT,
            **environment,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def seen(unzipped: Path) -> dict[str, Any]:
    """Return what `imports_program.py` prints. Several tests share this one run."""
    program = Path(__file__).with_name("imports_program.py").read_text()
    found: dict[str, Any] = json.loads(run_alone(unzipped, program).splitlines()[-1])
    return found


def code_objects(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and all code objects inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from code_objects(constant)


def test_fits_into_lambda(layer: Layer) -> None:
    """The layer has at most 170 MB, leaves room for a function, and reports the zip's sizes."""
    with zipfile.ZipFile(layer.path) as archive:
        sizes = [info.file_size for info in archive.infolist()]
    assert sum(sizes) == layer.unzipped_size <= MOST_BYTES
    assert layer.path.stat().st_size == layer.size
    check_total(layer.unzipped_size, {"review": RESERVE_BYTES})


def test_lambda_can_read_it(layer: Layer) -> None:
    """All files are under ``python/`` and readable for all; order and dates are fixed."""
    with zipfile.ZipFile(layer.path) as archive:
        infos = archive.infolist()
    assert {info.filename.split("/")[0] for info in infos} == {"python"}
    assert [info.filename.split("/") for info in infos] == sorted(
        info.filename.split("/") for info in infos
    )
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    modes = {(".so" in info.filename, info.external_attr >> 16) for info in infos}
    assert modes == {(False, 0o100644), (True, 0o100755)}


def test_no_tests_and_no_sources(layer: Layer) -> None:
    """Only the test modules that numpy.testing needs are kept, and no file that is compiled."""
    with zipfile.ZipFile(layer.path) as archive:
        paths = [Path(name) for name in archive.namelist()]
    tests = {str(path) for path in paths if {"tests", "test"} & set(path.parts)}
    assert {name for name in tests if name.endswith(".pyc")} <= {f"python/{name}c" for name in KEPT}
    sources = {".py", ".c", ".cpp", ".h", ".pyx", ".pxd", ".pyi", ".a"}
    assert not {path.suffix for path in paths} & sources
    assert not [path for path in paths if path.name == "RECORD" or path.parts[1] == "bin"]


def test_every_module_is_bytecode_that_lambda_will_use(layer: Layer) -> None:
    """Each module is bytecode of this Python, undated, and names its path on Lambda."""
    with zipfile.ZipFile(layer.path) as archive:
        modules = [name for name in archive.namelist() if name.endswith(".pyc")]
        assert len(modules) > 1000
        for module in modules:
            assert "__pycache__" not in module
            data = archive.read(module)
            assert data[:8] == importlib.util.MAGIC_NUMBER + UNCHECKED_HASH
            code = marshal.loads(data[16:])  # noqa: S302 - this project built it
            paths = {part.co_filename for part in code_objects(code)}
            assert paths == {f"/opt/{module[:-1]}"}


def test_tracebacks_name_file_line_and_function(seen: dict[str, Any]) -> None:
    """A traceback names the file in scikit-learn, by its path on AWS, the line and the function."""
    assert re.search(
        r'File "/opt/python/sklearn/linear_model/_base\.py", line \d+, in predict\n',
        seen["traceback"],
    )


def test_every_public_module_of_scikit_learn_imports_from_the_layer_alone(
    seen: dict[str, Any],
) -> None:
    """Every public module, at any depth, can be imported and comes from the layer."""
    assert seen["public"]["modules"] > 60
    assert seen["public"]["estimators"] > 190
    assert seen["public"]["elsewhere"] == []


def test_no_module_needs_a_pruned_one(seen: dict[str, Any]) -> None:
    """No module, public or private, fails to import because another was pruned."""
    assert seen["all"]["imported"] > 1000
    assert seen["all"]["missing"] == []


def test_every_compiled_module_computes_the_same_from_the_layer(unzipped: Path) -> None:
    """Estimators that use every compiled module give the same results as where it is installed."""
    program = Path(__file__).with_name("estimators_program.py")
    with subprocess.Popen(  # runs at the same time as the one below
        [sys.executable, "-W", "ignore", str(program)],
        env={**os.environ, **PATIENT, "JOBS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as installed:
        alone = json.loads(run_alone(unzipped, program.read_text(), JOBS="2"))
        answers, _ = installed.communicate()
    assert installed.returncode == 0
    expected = json.loads(answers)["answers"]
    assert len(expected) > 50
    assert alone["answers"].keys() == expected.keys()
    for name, answer in alone["answers"].items():
        if isinstance(answer, str | bool):
            assert answer == expected[name], name
        else:
            np.testing.assert_allclose(answer, expected[name], rtol=1e-6, atol=1e-9, err_msg=name)
    libraries = (unzipped / "python").glob("sklearn/**/*.so")
    compiled = {str(path.relative_to(unzipped / "python")).split(".")[0] for path in libraries}
    assert len(compiled) > 50
    unused = {name.replace("/", ".") for name in compiled} - set(alone["loaded"])
    assert unused <= {"sklearn.svm._newrand", "sklearn.utils._typedefs"}  # for its own tests


def test_trains_predicts_and_stores_a_model_from_the_layer_alone(seen: dict[str, Any]) -> None:
    """A text pipeline fits, predicts and is stored; data sets and versions can be read."""
    assert seen["trained"]["predictions"] == [1, 0]
    assert seen["trained"]["rows"] == 150
    lock = (ROOT / "requirements" / "layer.lock").read_text()
    assert f"scikit-learn=={seen['trained']['version']} " in lock


def test_licences_are_kept(unzipped: Path) -> None:
    """Every package keeps its licence and the metadata that importlib.metadata reads."""
    folders = list((unzipped / "python").glob("*.dist-info"))
    assert len(folders) >= 10
    for folder in folders:
        assert (folder / "METADATA").exists()
        assert [path for path in folder.rglob("*") if re.match("LICEN[CS]E|COPYING", path.name)]


def test_same_input_makes_the_same_bytes(layer: Layer, tmp_path: Path) -> None:
    """Two builds in different folders make the same zip."""
    lock = (ROOT / "requirements" / "layer.lock").read_text()
    second = build(project(tmp_path / "another" / "and longer", lock))
    assert not second.reused
    first = layer
    if described(first)["compiled_by"] != described(second)["compiled_by"]:
        # Python has been updated since, and another release may make other bytecode.
        first = build(project(tmp_path / "a", lock))
    assert first.path != second.path
    assert first.sha256 == second.sha256


@pytest.mark.skipif(PYTHON == "3.11", reason="no scikit-learn for arm64 and Amazon Linux 2")
def test_the_other_architecture_gets_its_own_libraries() -> None:
    """A layer for another architecture holds its shared objects, and has at most 170 MB."""
    (other,) = set(ELF_MACHINES) - {architecture()}
    foreign = build_layer(PYTHON, other, root=ROOT, report=silent)
    assert foreign.unzipped_size <= MOST_BYTES
    machines = set()
    with zipfile.ZipFile(foreign.path) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                head = file.read(20)
            if head.startswith(b"\x7fELF"):
                machines.add(int.from_bytes(head[18:20], "little"))
    assert machines == {ELF_MACHINES[other]}


def test_an_unchanged_layer_is_reused(small: Path) -> None:
    """A layer is not built while its inputs and the zip are unchanged, unless that is forced."""
    first = build(small)
    assert first.path == small / f".local/layer/python{PYTHON}-{architecture()}.zip"
    assert [first.reused, build(small).reused, build(small, force=True).reused] == [
        False,
        True,
        False,
    ]
    assert build(small).sha256 == first.sha256
    description = described(first)
    assert description["sha256"] == first.sha256
    assert description["compiled_by"] == platform.python_version()
    assert [name.split("==")[0] for name in description["packages"]] == ["threadpoolctl"]
    assert written(small) == [f"{first.path.stem}.json", first.path.name]


def test_a_changed_lock_is_built(small: Path) -> None:
    """A layer is rebuilt after a change of its lock."""
    build(small)
    lock = small / "requirements" / "layer.lock"
    lock.write_text(lock.read_text() + "# changed\n")
    assert not build(small).reused


@pytest.mark.parametrize("damage", ["zip", "json"])
def test_a_damaged_layer_is_rebuilt(small: Path, damage: str) -> None:
    """A zip that differs from what was built, or a truncated description, is not used."""
    first = build(small)
    first.path.with_suffix(f".{damage}").write_bytes(b"{")
    second = build(small)
    assert (second.reused, second.sha256) == (False, first.sha256)


def test_another_python_compiles_its_own_bytecode(small: Path) -> None:
    """That Python compiles its layer, whichever Python runs the script."""
    for python in SUPPORTED:
        interpreter = None if python == PYTHON else toolchain.find_python(python)
        if interpreter:
            made = build_layer(python, architecture(), root=small, report=silent)
            ask = "import importlib.util, sys; sys.stdout.write(importlib.util.MAGIC_NUMBER.hex())"
            magic = subprocess.run([interpreter, "-c", ask], capture_output=True, check=True).stdout
            with zipfile.ZipFile(made.path) as archive:
                assert archive.read("python/threadpoolctl.pyc")[:4].hex() == magic.decode()
            return
    pytest.skip("no other Python is installed")


def test_variables_of_python_do_not_change_the_layer(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environment variables that change what Python compiles, or where to, have no effect."""
    plain = build(small).sha256
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(small / "elsewhere"))
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    assert build(small, force=True).sha256 == plain


def test_a_layer_over_the_limit_is_refused(small: Path) -> None:
    """A layer that leaves no room for a function is not written; the error names what is large."""

    def limited(limit: int) -> Layer:
        return build_layer(
            PYTHON,
            architecture(),
            root=small,
            report=silent,
            limit_bytes=limit,
            reserve_bytes=50_000,
        )

    with pytest.raises(LayerError, match=r"limit leaves.* for it.*largest parts: .*threadpoolctl"):
        limited(100_000)
    assert written(small) == []
    build(small)
    with pytest.raises(LayerError, match="limit leaves"):
        limited(100_000)
    assert limited(1_000_000).reused


def test_functions_over_the_limit_are_named() -> None:
    """The sizes of the layer and of a function's code are added, for each function separately."""
    check_total(60, {"health": 40, "review": 39}, limit_bytes=100)
    with pytest.raises(LayerError, match=r"no room for review \("):
        check_total(60, {"health": 40, "review": 41}, limit_bytes=100)


@pytest.mark.parametrize(("python", "arch"), [("3.10", "x86_64"), ("3.13", "aarch64"), ("", "")])
def test_an_unknown_python_or_architecture_is_refused(small: Path, python: str, arch: str) -> None:
    """The error lists the valid choices, and nothing is built."""
    choices = f"{re.escape(', '.join(SUPPORTED))}|x86_64, arm64"
    with pytest.raises(LayerError, match=rf"is not supported; choose one of ({choices})$"):
        build_layer(python, arch, root=small, report=silent)
    assert not (small / ".local").exists()


def test_a_missing_interpreter_is_reported(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the layer's Python is not installed, the error says which version to install."""
    monkeypatch.setattr(toolchain, "find_python", lambda _: None)
    python = next(version for version in SUPPORTED if version != PYTHON)
    with pytest.raises(LayerError, match=rf"Python {re.escape(python)} is not installed"):
        build_layer(python, architecture(), root=small, report=silent)


def test_a_failed_build_keeps_the_last_layer(small: Path) -> None:
    """A package whose hash is not in the lock stops the build, and the old layer is unchanged."""
    good = build(small)
    lock = small / "requirements" / "layer.lock"
    lock.write_text(re.sub(r"sha256:\w+", f"sha256:{'0' * 64}", lock.read_text()))
    with pytest.raises(LayerError, match=r"installing layer\.lock with uv failed.*\n.*"):
        build(small)
    assert layers._sha256(good.path) == good.sha256
    assert written(small) == [f"{good.path.stem}.json", good.path.name]


def test_a_missing_network_is_reported(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a download fails, the error says so and ends with uv's own message."""
    monkeypatch.setenv("UV_CACHE_DIR", str(small / "cold"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(LayerError, match="is the network reachable"):
        build(small)
    assert written(small) == []


def test_a_second_build_waits_and_uses_the_first_ones_layer(small: Path) -> None:
    """Of two builds at once, the second reports that it waits, and then reuses the first's layer."""
    made = build(small)
    description = made.path.with_suffix(".json")
    hidden = description.rename(small / "hidden.json")
    waiting = threading.Event()
    results: list[Layer] = []

    def later() -> None:
        results.append(
            build_layer(PYTHON, architecture(), root=small, report=lambda _: waiting.set())
        )

    with (made.path.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = threading.Thread(target=later)
        thread.start()
        assert waiting.wait(10)
        hidden.rename(description)
    thread.join(10)
    assert [result.reused for result in results] == [True]


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C ends a build with status 130; no process, partial layer or temporary folder is left."""
    root = project(tmp_path / "root", locked("numpy"))  # about a second to compile
    (root / ".python-version").write_text(PYTHON)
    start = (
        # If the tests run in the background, they and their children ignore Ctrl-C by default.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "import sys, pathlib; from scripts.lib.layer.build import main; "
        "sys.exit(main([], pathlib.Path(sys.argv[1])))"
    )
    command = [sys.executable, "-u", "-c", start, str(root)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHON_VERSION": PYTHON}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        for line in process.stdout:
            if "compiling" in line:
                process.send_signal(signal.SIGINT)
                break
        errors = process.stderr.read()  # returns when every process that holds the pipe has ended
        assert process.wait(10) == 130
    assert errors == "stopped by Ctrl-C; the layer is unchanged\n"
    assert written(root) == []


def test_the_command_line_prints_plain_lines(
    small: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal, each step and size is a line; an error is one line, with exit status 2."""
    monkeypatch.setenv("PYTHON_VERSION", PYTHON)
    arguments = ["--arch", architecture()]
    assert layers.main(arguments, small) == 0
    first = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in first[:5]] == [
        "installing",
        "pruning",
        "compiling",
        "shrinking",
        "zipping",
    ]
    assert first[5] == "layer has been built"
    assert first[6].strip() == f".local/layer/python{PYTHON}-{architecture()}.zip"
    assert max(map(len, first)) <= 80
    assert layers.main(arguments, small) == 0
    assert capsys.readouterr().out.splitlines()[0] == "layer is current"
    assert layers.main(["--python", "2.7"], small) == 2
    assert capsys.readouterr().err.startswith("error: Python '2.7' is not supported")
