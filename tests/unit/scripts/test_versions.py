"""Versions that several languages and tools have to agree on."""

import os
import re
import subprocess
import tomllib

import pytest

from scripts.lib.project import ROOT, SUPPORTED, VERSIONS, ScriptError, python_version
from scripts.lib.toolchain import emulator_pythons

DECLARED = (ROOT / ".python-version").read_text().strip()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LIST = ", ".join(SUPPORTED)


@pytest.mark.parametrize(
    "command",
    [["scripts/up"], ["node", "-e", "require('./scripts/python-version.cjs')"]],
    ids=["bash", "node"],
)
def test_other_languages_support_the_same_pythons(command: list[str]) -> None:
    """The launchers and the deployer refuse another Python and list the supported ones."""
    result = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHON_VERSION": "3.8"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 1
    assert f"this project runs on {LIST}\n" in result.stderr


def test_python_supports_the_same_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts' Python code refuses another Python and lists the supported ones."""
    monkeypatch.setenv("PYTHON_VERSION", "3.8")
    with pytest.raises(ScriptError, match=f"this project runs on {re.escape(LIST)}$"):
        python_version()


def test_the_tools_check_for_the_supported_pythons() -> None:
    """pyproject.toml declares the supported Pythons; mypy and ruff check for the oldest."""
    minors = [int(version.removeprefix("3.")) for version in SUPPORTED]
    assert minors == list(range(minors[0], minors[-1] + 1))
    assert PYPROJECT["project"]["requires-python"] == f">=3.{minors[0]},<3.{minors[-1] + 1}"
    assert PYPROJECT["tool"]["mypy"]["python_version"] == f"3.{minors[0]}"
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py3{minors[0]}"


def test_containers_have_the_declared_python() -> None:
    """All images start from one base, whose Python runs the project and LocalStack."""
    assert DECLARED in SUPPORTED
    assert DECLARED in emulator_pythons()
    bases = {
        base
        for name in ("docker-compose.yml", "scripts/Dockerfile", "emulator/Dockerfile")
        for base in re.findall(r"BASE_IMAGE(?:=|:-)([^}\s]+)", (ROOT / name).read_text())
    }
    (base,) = bases
    assert base.startswith(f"python:{DECLARED}.")


def test_the_emulators_image_has_the_same_uv() -> None:
    """The emulator's Dockerfile, which cannot read the scripts' versions, pins the same uv."""
    text = (ROOT / "emulator" / "Dockerfile").read_text()
    assert re.findall(r"\buv==(\S+)", text) == [VERSIONS["UV_VERSION"]]
