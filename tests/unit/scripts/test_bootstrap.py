"""What the launchers find on a machine before any Python of the project runs."""

import os
import subprocess
from pathlib import Path

import pytest

from scripts.lib import toolchain
from scripts.lib.project import ROOT


def program(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{content}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def uv(tmp_path: Path) -> Path:
    """Return a uv behind a shim on PATH, in a folder for which the shim works."""
    real = program(tmp_path / "versions" / "3.13.0" / "bin" / "uv", "echo uv 0.0")
    program(tmp_path / "shims" / "uv", f'exec {real} "$@"')
    program(tmp_path / "shims" / "pyenv", f'[ "$*" = "which uv" ] && echo {real}')
    return real


def test_launchers_use_uv_and_not_its_shim(tmp_path: Path, uv: Path) -> None:
    """A shim of pyenv fails in other folders, and so the launchers look for what it starts."""
    result = subprocess.run(
        ["bash", "-c", f". {ROOT}/scripts/lib/bootstrap.sh; find_uv; echo $UV"],
        env={"PATH": f"{tmp_path / 'shims'}:{os.defpath}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == str(uv)


def test_scripts_use_uv_and_not_its_shim(
    tmp_path: Path, uv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same holds without a launcher."""
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}:{os.defpath}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(toolchain, "LOCAL", tmp_path / "local")
    assert toolchain.uv.__wrapped__() == str(uv)
