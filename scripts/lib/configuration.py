"""Reads what serverless.yml says about the functions.

The deployer resolves all of it; this resolves references to files of the project only, which is all
that the scripts need.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from scripts.lib.project import ScriptError

FILE = "serverless.yml"
FROM_FILE = re.compile(r"\$\{file\((?P<file>[^)]+)\)(?::(?P<key>\w+))?\}")


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's tags, such as ``!Ref``, as None."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def load_yaml(text: str) -> Any:
    """Return the content of serverless.yml or of a file that it refers to, without tags."""
    return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader


def functions(root: Path) -> dict[str, dict[str, Any]]:
    """Return the declaration of each function, by its name.

    Parameters
    ----------
    root : pathlib.Path
        The folder with serverless.yml.

    Raises
    ------
    ScriptError
        serverless.yml, or a file that it refers to, cannot be read.
    """
    try:
        found = load_yaml((root / FILE).read_text())["functions"]
        return {name: dict(_resolved(one, root)) for name, one in found.items()}
    except (OSError, LookupError, TypeError, AttributeError, ValueError, yaml.YAMLError) as exc:
        reason = " ".join(str(exc).split())
        raise ScriptError(f"{FILE} does not declare its functions as expected: {reason}") from exc


def packages(root: Path) -> dict[str, list[str]]:
    """Return the patterns of the files in each function's package, by the function's name.

    Raises
    ------
    ScriptError
        serverless.yml, or a file that it refers to, could not be read or has no such patterns.
    """
    try:
        found: dict[str, list[str]] = {}
        for name, function in functions(root).items():
            patterns = _resolved(function["package"]["patterns"], root)
            if not isinstance(patterns, list):
                raise ValueError(f"the patterns of {name} are not a list: {patterns!r}")
            found[name] = patterns
        return found
    except (OSError, LookupError, TypeError, ValueError, yaml.YAMLError) as exc:
        raise ScriptError(f"{FILE} does not list the files of its functions: {exc}") from exc


def served_models(root: Path) -> dict[str, str]:
    """Return the path of each endpoint that serves a model, such as ``/review``, by the model.

    Raises
    ------
    ScriptError
        serverless.yml, or a file that it refers to, cannot be read.
    """
    found: dict[str, str] = {}
    for function in functions(root).values():
        model = (function.get("environment") or {}).get("MODEL_NAME")
        if isinstance(model, str) and (path := post_path(function)):
            found.setdefault(model, path)
    return found


def post_path(function: dict[str, Any]) -> str | None:
    """Return the path at which a function answers POST, None if there is none."""
    for event in function.get("events") or ():
        http = event.get("http")
        if isinstance(http, str):  # the short form, "post review"
            method, _, path = http.partition(" ")
            http = {"method": method, "path": path}
        if isinstance(http, dict) and str(http.get("method")).lower() == "post":
            return "/" + str(http.get("path")).strip("/")
    return None


def _resolved(value: Any, root: Path) -> Any:
    """Return what a reference such as ``${file(a.yml):key}`` refers to, and others as they are."""
    if not isinstance(value, str) or not (named := FROM_FILE.fullmatch(value)):
        return value
    content = load_yaml((root / named["file"]).read_text())
    return content[named["key"]] if named["key"] else content
