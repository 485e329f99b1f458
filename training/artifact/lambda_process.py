"""Starts a process that has what a Lambda has, and asks it for predictions (`lambda_program`)."""

import functools
import json
import subprocess
import sys
from collections.abc import Collection
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sklearn_api.errors import ArtifactError

_SECONDS = 300  # until the process is given up
_LAYER = Path(__file__).resolve().parents[2] / "requirements" / "layer.lock"
_PROGRAM = Path(__file__).with_name("lambda_program.py")
_NOT_FOR_SERVING = frozenset(("skops",))  # writes artifacts; reading them must never need it


def ask(
    content: bytes, instances: list[Any], own_code: Collection[str], max_bytes: int
) -> dict[str, Any]:
    """Return what a process answers that has what a Lambda has.

    Parameters
    ----------
    content : bytes
        An artifact.
    instances : list of dict
        As clients send them.
    own_code : collection of str
        Full names of code that its endpoint declares; their modules have to be importable here.
    max_bytes : int
        The largest size that the artifact may unpack to.

    Returns
    -------
    dict
        ``predictions`` (value, score and probabilities of each instance), ``loading`` (seconds of
        processor time) and ``peak`` (the most bytes of memory that it held); or ``error``, what a
        Lambda would fail with.

    Raises
    ------
    ArtifactError
        The process is killed, or takes too long.
    """
    own = {name.partition(".")[0] for name in own_code}
    with TemporaryDirectory(prefix="artifact-") as folder:
        artifact, answer = Path(folder, "artifact.zip"), Path(folder, "answer.json")
        artifact.write_bytes(content)
        request = {
            "path": [str(Path(entry).resolve()) for entry in sys.path],
            "modules": sorted({"sklearn_api", *layer_modules(), *own}),
            "own_code": list(own_code),
            "artifact": str(artifact),
            "answer": str(answer),
            "max_bytes": max_bytes,
            "instances": instances,
        }
        try:
            process = subprocess.run(
                [sys.executable, "-P", str(_PROGRAM)],
                input=json.dumps(request),
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise ArtifactError(
                f"a Lambda cannot answer with this artifact: loading it and predicting "
                f"{len(instances):,} rows takes more than {_SECONDS} seconds"
            ) from exc
        if process.returncode or not answer.exists():
            last = process.stderr.strip().rpartition("\n")[2]
            raise ArtifactError(
                "a Lambda cannot answer with this artifact: its process ended with status "
                f"{process.returncode}: {last[:300]}"
            )
        found: dict[str, Any] = json.loads(answer.read_bytes())
    if "error" in found:
        raise ArtifactError(f"a Lambda cannot answer with this artifact: {found['error']}")
    return found


@functools.cache
def layer_modules(lock: Path = _LAYER) -> frozenset[str]:
    """Return the names of the modules in a layer, without a dot.

    Parameters
    ----------
    lock : Path
        Names the packages.
    """
    lines = lock.read_text().splitlines()
    packages = {line.split("==")[0] for line in lines if line[:1].isalpha()}
    modules = set()
    for package in packages - _NOT_FOR_SERVING:
        try:
            files = metadata.files(package) or []
        except metadata.PackageNotFoundError:  # it belongs to another version of Python
            continue
        modules |= {file.parts[0].partition(".")[0] for file in files if file.suffix == ".py"}
    return frozenset(modules)
