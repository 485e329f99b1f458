"""The project's paths, and the one Python version that everything uses.

The file ``.python-version`` names the version, and the environment variable ``PYTHON_VERSION``
overrides it. ``scripts/python-version.cjs`` reads the same two for serverless.yml.
"""

import json
import os
import platform
import re
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
VERSIONS = dict(
    re.findall(r'^(\w+)="(.*)"$', (ROOT / "scripts" / "versions.env").read_text(), re.MULTILINE)
)
SUPPORTED = tuple(VERSIONS["SUPPORTED_PYTHONS"].split())

DEPLOYED = (
    *("serverless.yml", "handlers", "sklearn_api", ".env.local", ".python-version", "package.json"),
    *("scripts/versions.env", "scripts/python-version.cjs", "scripts/layer.cjs"),
    *("scripts/bytecode.cjs", "scripts/lib/function_bytecode.py"),
    *("scripts/roles.cjs", "scripts/remove-models.cjs", "scripts/artifact-format.cjs"),
)
"""Files and folders of the project that the deployer reads, apart from its own packages."""


class ScriptError(Exception):
    """An error that the user can act on: one clear sentence, perhaps with the end of a log."""


def python_version() -> str:
    """Return the project's Python version, such as ``3.13``.

    Raises
    ------
    ScriptError
        The version is not supported, or the running interpreter has another one.
    """
    declared = os.environ.get("PYTHON_VERSION") or (ROOT / ".python-version").read_text()
    version = declared.strip()
    if version not in SUPPORTED:
        raise ScriptError(
            f"Python {version} is not supported; this project runs on {', '.join(SUPPORTED)}"
        )
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if running != version:
        raise ScriptError(
            f"the project's Python is {version}, but this command runs on {running}; start it with "
            f"its launcher in scripts/, or set PYTHON_VERSION={running} for this command"
        )
    return version


def architecture() -> str:
    """Return Lambda's name for this machine's architecture."""
    return "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON file atomically."""
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(values, indent=2) + "\n")
    temporary.replace(path)


def copy_paths(target: Path, *names: str) -> None:
    """Copy files and folders of the project to the same relative paths in another folder."""
    ignored = shutil.ignore_patterns("__pycache__", ".venv", ".runtimes")
    for name in names:
        source = ROOT / name
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target / name)


def tail(path: Path, lines: int = 15) -> str:
    """Return the last lines of a log, indented for an error message."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(f"  {line}" for line in text.rstrip().split("\n")[-lines:])
