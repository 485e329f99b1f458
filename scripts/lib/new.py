"""Add an endpoint that serves a model: a folder in handlers/, a line in serverless.yml, a test."""

import argparse
import fcntl
import os
import re
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import yaml

from scripts.lib import configuration
from scripts.lib.console import OUT, run_main
from scripts.lib.project import ROOT, ScriptError
from training.errors import TrainingError
from training.names import check_name, endpoint_folder
from training.options import make_command, model_folder

PATH = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._-]*)+")
MEMORY = range(128, 10241)
"""What Lambda offers, in MB."""

HANDLER = '''"""POST {path}: predicts with the model `{name}`."""

from sklearn_api.prediction import prediction_endpoint

handler = prediction_endpoint()
'''
FUNCTION = """\
# POST {path}, as serverless.yml lists it; its role is made from the template there.
handler: handlers/{folder}/handler.handler
memorySize: {memory} # MB; AWS gives processor time in proportion
layers: [!Ref ScikitLearnLambdaLayer]
environment: {{ MODEL_NAME: {name} }}
events:
  - http: {{ method: post, path: {path}, private: true }}
package:
  patterns: ['handlers/{folder}/**/*.py', 'sklearn_api/**/*.py']
"""
TEST = '''"""POST {path} on a deployed stack, with the model `{name}`."""

import pytest

from tests.integration.deployed import Endpoint, Serve


@pytest.fixture
def endpoint(serve: Serve) -> Endpoint:
    """The deployed endpoint. Without a model in .local/model/{name}, these tests are skipped."""
    return serve("{name}", "{path}")


def test_a_key_is_required(endpoint: Endpoint) -> None:
    """A request without an API key gets 403."""
    assert endpoint.post(endpoint.example, key=None).status == 403


def test_an_instance_is_answered(endpoint: Endpoint) -> None:
    """The example in the model's signature is answered, with the model that answered it."""
    answer = endpoint.post(endpoint.example)
    assert answer.status == 200, answer.text
    assert answer.json()["model"]["name"] == "{name}"
    assert answer.json()["prediction"] is not None


def test_an_unknown_field_is_refused(endpoint: Endpoint) -> None:
    """A field that is not an input of the model gets 400, not a prediction without it."""
    answer = endpoint.post({{**endpoint.example, "not an input": 1}})
    assert answer.status == 400, answer.text
'''


@dataclass(frozen=True)
class Endpoint:
    """An endpoint to add.

    Attributes
    ----------
    name : str
        Of its function and its model, such as ``house-prices``.
    path : str
        Such as ``/house-prices``.
    memory : int
        Memory of the function in MB.
    """

    name: str
    path: str
    memory: int

    @property
    def folder(self) -> str:
        """Its folder in handlers/."""
        return endpoint_folder(self.name)

    @property
    def line(self) -> str:
        """Its line among the functions of serverless.yml."""
        return f"  {self.name}: ${{file(handlers/{self.folder}/function.yml)}}\n"

    @property
    def test(self) -> str:
        """The path of its test."""
        return f"tests/integration/endpoints/test_{self.folder}.py"

    def text(self, template: str) -> str:
        """Fill in one of the templates above."""
        return template.format(
            name=self.name, path=self.path, folder=self.folder, memory=self.memory
        )


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/new",
        description="Add an endpoint that serves a model: its declaration in handlers/<name>/, one "
        "line in serverless.yml, and a test. Its role is made from the template in serverless.yml: "
        "it reads this model alone. Nothing is deployed yet.",
        epilog="example: scripts/new house-prices",
    )
    parser.add_argument(
        "name",
        help="the name of the model and of the endpoint: lower-case letters, digits and hyphens",
    )
    parser.add_argument("--path", help="the endpoint's path (default: /<name>)")
    parser.add_argument(
        "--memory",
        type=int,
        default=1024,
        metavar="MB",
        help="memory of the function; AWS gives processor time in proportion (default: 1024)",
    )
    return parser.parse_args()


def endpoint(name: str, path: str | None = None, memory: int = 1024) -> Endpoint:
    """Return a checked endpoint.

    Parameters
    ----------
    name, path, memory : str, str or None, int
        As on the command line.

    Raises
    ------
    ScriptError
        One of them is not valid; the message says what is.
    """
    try:
        check_name(name)
    except TrainingError as exc:
        raise ScriptError(str(exc)) from exc
    chosen = f"/{name}" if path is None else path
    if not PATH.fullmatch(chosen):
        raise ScriptError(
            f"the path {chosen!r} is not valid: it starts with a slash, and its parts consist of "
            "letters, digits, dots, hyphens and underscores, such as /prices/houses"
        )
    if memory not in MEMORY:
        raise ScriptError(
            f"--memory is {memory}; Lambda offers {MEMORY.start} to {MEMORY.stop - 1} MB"
        )
    return Endpoint(name, chosen, memory)


def add(new: Endpoint, root: Path = ROOT) -> list[str]:
    """Add an endpoint to a project; return the paths of what was written.

    All of it is written, or nothing: serverless.yml, which makes the rest count, is replaced last,
    and what came before is removed if anything fails or Ctrl-C interrupts it.

    Raises
    ------
    ScriptError
        There is such an endpoint already, serverless.yml has an unusual shape, or a file cannot be
        written.
    """
    with ExitStack() as lock:
        try:
            opened = os.open(root / "handlers", os.O_RDONLY)
            lock.callback(os.close, opened)
            fcntl.flock(opened, fcntl.LOCK_EX)  # two at once would undo each other's work
            _check(new, root)
            return _write(new, root)
        except OSError as exc:
            raise ScriptError(f"the endpoint cannot be written: {exc}") from exc


def _check(new: Endpoint, root: Path) -> None:
    declared = configuration.functions(root)
    folder, test = root / "handlers" / new.folder, root / new.test
    for there, what in ((folder, f"handlers/{new.folder}/"), (test, new.test)):
        if there.exists() and new.name in declared:
            raise ScriptError(
                f"the endpoint {new.name} exists already: see handlers/{new.folder}/; to make it "
                f"again, first delete this folder, {new.test}, and the line in {configuration.FILE}"
            )
        if there.exists():
            raise ScriptError(
                f"{what} exists already, but {configuration.FILE} does not list {new.name}; "
                f"delete {what}, or list it under `functions:` with\n{new.line}"
            )
    if new.name in declared:
        raise ScriptError(f"{configuration.FILE} has a function {new.name} already")
    for name, function in declared.items():
        if configuration.post_path(function) == new.path:
            raise ScriptError(
                f"POST {new.path} is answered by the function {name} already; choose another path "
                "with --path"
            )


def _write(new: Endpoint, root: Path) -> list[str]:
    folder, test = root / "handlers" / new.folder, root / new.test
    file = (root / configuration.FILE).resolve()
    before = file.read_text()
    after = with_function(before, new)
    with ExitStack() as undo:
        made = Path(tempfile.mkdtemp(dir=root / "handlers", prefix=".new-"))
        undo.callback(shutil.rmtree, made, ignore_errors=True)
        made.chmod(0o755)
        (made / "handler.py").write_text(new.text(HANDLER))
        (made / "function.yml").write_text(new.text(FUNCTION))
        incoming = file.with_name(f".{file.name}.new")
        undo.callback(incoming.unlink, missing_ok=True)
        incoming.write_text(after)
        shutil.copymode(file, incoming)
        undo.callback(test.unlink, missing_ok=True)
        test.parent.mkdir(parents=True, exist_ok=True)
        test.write_text(new.text(TEST))
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        made.rename(folder)
        if file.read_text() != before:
            raise ScriptError(f"{configuration.FILE} was changed in the meantime; try again")
        undo.callback(_restore, file, before, after)
        incoming.replace(file)
        undo.pop_all()
    return [
        *(f"handlers/{new.folder}/{name}" for name in ("handler.py", "function.yml")),
        *(configuration.FILE, new.test),
    ]


def _restore(file: Path, before: str, after: str) -> None:
    if file.read_text() == after:
        file.write_text(before)


def with_function(text: str, new: Endpoint) -> str:
    """Return the text of serverless.yml with the line of an endpoint after the last function.

    Raises
    ------
    ScriptError
        There is no place for it: the functions are not a block of lines of their own.
    """
    lines = text.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if line.startswith("functions:")]
    last = start = starts[0] if starts else 0
    for number in range(start + 1, len(lines)):
        if lines[number].strip() and not lines[number].startswith(" "):
            break
        if lines[number].strip():
            last = number
    before = "".join(lines[: last + 1])
    end = "" if before.endswith("\n") else "\n"
    found = "".join([before, end, new.line, *lines[last + 1 :]])
    try:
        content, expected = configuration.load_yaml(found), configuration.load_yaml(text)
        expected["functions"][new.name] = new.line.partition(": ")[2].strip()
    except (yaml.YAMLError, TypeError, KeyError):
        content = expected = None
    if content is None or content != expected:
        raise ScriptError(
            f"no place was found for the endpoint in {configuration.FILE}; it needs `functions:` "
            f"with one function below the other, indented by two spaces, such as\n{new.line}"
        )
    return found


def main() -> int:
    """Run the script; see ``--help``."""
    options = arguments()
    new = endpoint(options.name, options.path, options.memory)
    for path in add(new):
        OUT.print(f"✓ {path}", markup=False)
    stored = (ROOT / model_folder(new.name) / "manifest.json").is_file()
    steps = {
        "A model for it": None if stored else f".venv/bin/{make_command(new.name)}",
        "On this machine": "./scripts/up",
        "On AWS": "npx sls deploy --stage dev",
        "": f".venv/bin/python -m training publish --name {new.name} --stage dev",
        "Its test": f".venv/bin/python -m pytest {new.test}",
    }
    OUT.print(f"\nPOST {new.path} is declared. What is next:\n", markup=False)
    for title, hint in steps.items():
        if hint:
            OUT.print(f"  {title:<16} {hint}", markup=False)
    return 0


if __name__ == "__main__":
    run_main(main)
