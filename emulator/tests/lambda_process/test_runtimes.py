"""The same behaviour on every Python that AWS offers, and functions with a program of their own."""

import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import Function, LocalStack, archive, install_runtime, wait_for
from localstack_parity.lambda_process import runtimes

Create = Callable[..., Function]

SOURCE = """
import os, sys, time
print('loaded')
def handler(event, context):
    print('handling')
    if event == 'version': return list(sys.version_info[:2])
    if event == 'variable': return os.environ['AWS_EXECUTION_ENV']
    if event == 'boto3': return bool(__import__('boto3').client('s3'))
    if event == 'raise': raise ValueError('böom')
    if event == 'exit': sys.exit(3)
    if event == 'hang': time.sleep(60)
    if event == 'unserialisable': return object()
    return event
"""


def base_of(runtime: str) -> Path | None:
    """Return an interpreter that works: pyenv puts shims on PATH for missing versions."""
    versions = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{runtime[6:]}.*/bin/python3"))
    for candidate in [shutil.which(runtime), *versions]:
        if candidate:
            asked = [
                str(candidate),
                "-c",
                "import sys; print('python%d.%d' % sys.version_info[:2])",
            ]
            answer = subprocess.run(asked, capture_output=True, text=True)
            if answer.stdout.strip() == runtime:
                return Path(candidate).resolve()
    return None


@pytest.fixture(scope="module")
def installed() -> list[str]:
    """Install every runtime whose Python this machine has."""
    bases = {runtime: base_of(runtime) for runtime in runtimes.SUPPORTED}
    for runtime, base in bases.items():
        if base:
            install_runtime(runtime, base)
    return [runtime for runtime, base in bases.items() if base]


@pytest.fixture(params=runtimes.SUPPORTED)
def other(request: pytest.FixtureRequest, installed: list[str]) -> str:
    if request.param not in installed:
        pytest.skip(f"{request.param} is not installed on this machine")
    return str(request.param)


def test_a_runtime(function: Create, other: str) -> None:
    """Values, variables, libraries, errors and exits are AWS's on this Python."""
    made = function(SOURCE, Runtime=other, Timeout=3, MemorySize=512)
    payload, error, log = made.invoke("version")
    assert (payload, error) == ([3, int(other[8:])], None)
    assert log.startswith("loaded\nSTART RequestId")
    assert "\nhandling\nEND RequestId" in log
    assert made.invoke("variable")[0] == f"AWS_Lambda_{other}"
    assert made.invoke("boto3")[0] is True
    payload, error, log = made.invoke("raise")
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "böom")
    assert "[ERROR] ValueError: böom\nTraceback" in log
    assert made.invoke("unserialisable")[0]["errorType"] == "Runtime.MarshalError"
    payload, error, _ = made.invoke("exit")
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert made.invoke("alive")[:2] == ("alive", None)


def test_a_timeout_on_every_runtime(function: Create, installed: list[str]) -> None:
    """A function that times out is killed, and the next invocation works; all hang at once."""
    made = [function(SOURCE, Runtime=runtime, Timeout=3) for runtime in installed]
    with ThreadPoolExecutor(len(made)) as pool:
        hung = list(pool.map(lambda one: one.invoke("hang"), made))
    assert [payload["errorType"] for payload, _, _ in hung] == ["Sandbox.Timedout"] * len(made)
    assert [one.invoke("alive")[:2] for one in made] == [("alive", None)] * len(made)


def test_a_failed_import_on_a_runtime(function: Create, other: str) -> None:
    """The caller gets an initialisation error, with an empty request id where AWS has one."""
    payload, error, _ = function("import no_such_module\n", Runtime=other).invoke()
    assert error == "Unhandled"
    assert payload["errorType"] == "Runtime.ImportModuleError"
    assert payload["requestId"] == ""


BOOTSTRAP = """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
    event=$(curl -sSL -D /tmp/headers "$api/next")
    id=$(sed -n 's/^lambda-runtime-aws-request-id: *//Ip' /tmp/headers | tr -d '\\r')
    echo "handling $event"
    curl -sS -o /dev/null "$api/$id/response" -d "[\\"$(pwd)\\", \\"$_HANDLER\\", $event]"
done
"""


@pytest.mark.skipif(not shutil.which("curl"), reason="the function is a script that needs curl")
@pytest.mark.parametrize("runtime", runtimes.OS_ONLY)
def test_a_function_with_its_own_program(function: Create, runtime: str) -> None:
    """`provided.*` runs the file `bootstrap`, which implements the Runtime API itself.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
    """
    made = function({"bootstrap": BOOTSTRAP}, Runtime=runtime, Handler="any.name")
    payload, error, log = made.invoke({"a": 1})
    assert error is None, log
    assert payload[1:] == ["any.name", {"a": 1}]
    assert 'handling {"a": 1}' in log
    assert "Init Duration" in log
    assert "Init Duration" not in made.invoke()[2]


def test_a_function_without_its_program(function: Create) -> None:
    """The caller gets an error that names the missing program."""
    payload, error, _ = function({"other": "x"}, Runtime="provided.al2023").invoke()
    assert error == "Unhandled"
    assert payload["errorType"] == "Runtime.InvalidEntrypoint"
    reason = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
    assert payload["errorMessage"].endswith(f"Error: {reason}")


@pytest.mark.same_without_namespaces
def test_an_unsupported_language_fails_the_function(localstack: LocalStack) -> None:
    """A function whose runtime cannot run here fails to create, and the reason names it."""
    client = localstack.client("lambda")
    client.create_function(
        FunctionName="needs-another-language",
        Runtime="nodejs20.x",
        Handler="handler.handler",
        Role="arn:aws:iam::000000000000:role/any",
        Code={"ZipFile": archive({"handler.py": ""})},
    )

    def state() -> dict[str, str] | None:
        found = client.get_function_configuration(FunctionName="needs-another-language")
        return None if found["State"] == "Pending" else found

    found = wait_for(state, what="a final state")
    assert found["State"] == "Failed"
    assert "'nodejs20.x' is not supported by the process executor" in found["StateReason"]
