"""Digests of what the last `up` made, and of its inputs: ``.local/up.json``.

Why `up` compares digests: docs/decisions/0023-second-up-compares-digests.md.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.lib.emulator import Emulator
from scripts.lib.project import DEPLOYED, LOCAL, ROOT, python_version, write_json
from scripts.lib.stack import client
from training.account import SERVICE, stack_name
from training.options import EXAMPLES, model_folder

RECORD_FILE = LOCAL / "up.json"

# Files and folders of the project.
MODEL_INPUTS = (
    *("training", "sklearn_api", "requirements/dev.lock"),
    *(str(model_folder(name)) for name in EXAMPLES),
)
DEPLOYMENT_INPUTS = (
    *DEPLOYED,
    *("package-lock.json", "scripts/lib/stack.py", "training/account.py"),
)
# Fields of a function that change without a deployment.
MOMENTARY = {"RevisionId", "LastModified", "State", "StateReason", "StateReasonCode"}


@dataclass(frozen=True)
class Record:
    """Digests of the inputs of the models and of the deployment, and of the deployed stack."""

    models: str
    deployment: str
    deployed: str

    def save(self) -> None:
        """Write `RECORD_FILE` atomically."""
        write_json(RECORD_FILE, asdict(self))

    @classmethod
    def load(cls) -> "Record":
        """Read `RECORD_FILE`. If it is missing or not valid, no digest is equal to the result's."""
        try:
            return cls(**json.loads(RECORD_FILE.read_text()))
        except (OSError, ValueError, TypeError):
            return cls("", "", "")


def model_inputs() -> str:
    """Return a digest of the inputs of the examples' models, and of the models themselves."""
    return _digest(MODEL_INPUTS, python_version())


def deployment_inputs(layer: str) -> str:
    """Return a digest of the inputs of a deployment.

    Parameters
    ----------
    layer : str
        The layer's digest.
    """
    return _digest(DEPLOYMENT_INPUTS, python_version(), layer)


def deployed(emulator: Emulator) -> str:
    """Return a digest of the stack in the emulator, or an empty string if there is none.

    It changes with every deployment, and with every other change of a function.
    """
    cloudformation = client("cloudformation", emulator.url)
    try:
        stack = cloudformation.describe_stacks(StackName=stack_name("local"))["Stacks"][0]
    except cloudformation.exceptions.ClientError:
        return ""
    functions = client("lambda", emulator.url)
    found = [
        {name: value for name, value in function.items() if name not in MOMENTARY}
        for page in functions.get_paginator("list_functions").paginate()
        for function in page["Functions"]
        if function["FunctionName"].startswith(f"{SERVICE}-local-")
    ]
    facts = [stack["StackId"], str(stack.get("LastUpdatedTime")), stack["StackStatus"], found]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _digest(paths: Iterable[str], *facts: str) -> str:
    digest = hashlib.sha256("\0".join(facts).encode())
    for file in _files(paths):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(ROOT)}\0{content}\0".encode())
    return digest.hexdigest()


def _files(paths: Iterable[str]) -> list[Path]:
    found: list[Path] = []
    for path in (ROOT / name for name in paths):
        within = path.rglob("*") if path.is_dir() else [path]
        found += [file for file in within if file.is_file() and file.suffix != ".pyc"]
    return sorted(found)
