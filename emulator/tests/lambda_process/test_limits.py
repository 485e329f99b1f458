"""Limits on memory, time, event size and concurrency."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Function, Gate, LocalStack, command_line, create_function, wait_for

Create = Callable[..., Function]
Invocation = Future[tuple[Any, str | None, str]]

ALIVE = "    if event is None: return 'alive'\n"


def test_too_much_memory_ends_the_function(function: Create) -> None:
    """A function that exceeds its memory size is killed; the next invocation works.

    https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
    """
    made = function(
        f"import time\ndef handler(event, context):\n{ALIVE}"
        "    kept = bytearray(event)\n    time.sleep(20)\n    return len(kept)\n",
        Timeout=30,
    )
    payload, error, log = made.invoke(400 * 2**20)
    assert error == "Unhandled"
    assert payload["errorType"] == "Runtime.OutOfMemory"
    assert payload["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert int(log.partition("Max Memory Used: ")[2].split()[0]) > 128
    assert made.invoke()[:2] == ("alive", None)


def test_a_short_peak_counts_too(function: Create) -> None:
    """Memory that was freed before it could be measured still counts."""
    made = function(
        f"def handler(event, context):\n{ALIVE}"
        "    kept = bytearray(event)\n    kept[::4096] = b'x' * (event // 4096)\n    del kept\n"
    )
    payload, _, _ = made.invoke(400 * 2**20)
    assert payload["errorType"] == "Runtime.OutOfMemory"


def test_child_processes_count(function: Create) -> None:
    """The limit applies to the memory of the whole process tree."""
    child = "import time; kept = bytearray(60 * 2**20); time.sleep(20)"
    made = function(
        f"import subprocess, sys\ndef handler(event, context):\n{ALIVE}"
        f"    children = [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(4)]\n"
        "    return [child.wait() for child in children]\n",
        Timeout=30,
        MemorySize=192,
    )
    payload, _, _ = made.invoke("children")
    assert payload["errorType"] == "Runtime.OutOfMemory"
    assert made.invoke()[:2] == ("alive", None)
    running = map(command_line, made.localstack.function_processes())
    assert not [line for line in running if b"bytearray" in line]


def test_memory_below_the_limit_is_reported(function: Create) -> None:
    """A function that stays within its memory size works, and REPORT has the memory it used."""
    made = function(
        "def handler(event, context):\n    kept = bytearray(b'x' * event)\n    return len(kept)\n",
        MemorySize=512,
    )
    payload, error, log = made.invoke(100 * 2**20)
    assert (payload, error) == (100 * 2**20, None)
    assert 100 < int(log.partition("Max Memory Used: ")[2].split()[0]) < 512


@pytest.mark.same_without_namespaces
def test_an_event_that_is_too_large_is_refused(function: Create) -> None:
    """Events of more than 6 MB (1 MB if asynchronous) are refused before the function is invoked.

    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    made = function("def handler(event, context):\n    return len(event)\n")
    client = made.localstack.client("lambda")
    assert made.invoke("x" * 6_291_000)[0] == 6_291_000
    for kind, size in (("RequestResponse", 6_291_456), ("Event", 1_048_576)):
        with pytest.raises(ClientError) as caught:
            client.invoke(FunctionName=made.name, InvocationType=kind, Payload=b'"' * size + b'"')
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
        assert caught.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
        assert f"Request must be smaller than {size} bytes" in str(caught.value)


def invoke_in_background(localstack: LocalStack, source: str, timeout: int) -> Iterator[Invocation]:
    made = create_function(localstack, source, Timeout=timeout)
    pool = ThreadPoolExecutor(1)
    yield pool.submit(made.invoke)
    pool.shutdown(wait=False)
    localstack.client("lambda").delete_function(FunctionName=made.name)


@pytest.fixture(scope="module")
def endless_start(localstack: LocalStack) -> Iterator[Invocation]:
    yield from invoke_in_background(
        localstack,
        "import subprocess, time\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
        "time.sleep(100)\ndef handler(event, context): pass\n",
        timeout=1,
    )


@pytest.fixture(scope="module")
def slow_start(localstack: LocalStack, endless_start: object) -> Iterator[Invocation]:
    """Return an invocation; the other one that takes more than 10 s runs at the same time."""
    yield from invoke_in_background(
        localstack,
        "import time\nprint('initialising')\ntime.sleep(11)\n"
        "def handler(event, context):\n    return 'slow but alive'\n",
        timeout=25,
    )


@pytest.mark.long
@pytest.mark.same_without_namespaces  # what differs is the kill after 10 s, as in the next test
def test_a_slow_initialisation_is_repeated_in_the_invocation(
    slow_start: Invocation,
) -> None:
    """After 10 s initialisation is stopped and repeated, within the invocation's own timeout.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
    """
    payload, error, log = slow_start.result()
    assert (payload, error) == ("slow but alive", None)
    assert log.count("initialising") == 2
    assert "Init Duration" not in log
    assert float(log.partition("\tDuration: ")[2].split()[0]) > 11_000


@pytest.mark.long
def test_an_initialisation_that_never_ends_times_out(
    localstack: LocalStack, endless_start: Invocation
) -> None:
    """Initialisation within an invocation ends at the function's timeout, with all children."""
    payload, error, _ = endless_start.result()
    assert error == "Unhandled"
    assert payload["errorType"] == "Sandbox.Timedout"
    assert "sleep" not in localstack.function_programs()


@pytest.mark.same_without_namespaces
def test_reserved_concurrency(function: Create, gate: Gate) -> None:
    """Invocations above the reserved concurrency are refused with 429.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """
    made = function(f"def handler(event, context):\n    {gate.HOLD}\n", Timeout=30)
    client = made.localstack.client("lambda")
    client.put_function_concurrency(FunctionName=made.name, ReservedConcurrentExecutions=1)
    client.invoke(FunctionName=made.name, InvocationType="Event", Payload=str(gate.port))
    gate.wait_for(1)

    def refused() -> bool:
        try:
            client.invoke(FunctionName=made.name)
        except client.exceptions.TooManyRequestsException as exc:
            return exc.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        return False

    assert refused()


@pytest.mark.same_without_namespaces
def test_provisioned_concurrency(localstack: LocalStack, function: Create) -> None:
    """Provisioned environments are initialised before the first invocation, and serve it.

    https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
    """
    made = function(
        "import os\nkind = os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
        "def handler(event, context):\n    return kind\n"
    )
    client = localstack.client("lambda")
    version = client.publish_version(FunctionName=made.name)["Version"]
    chosen = {"FunctionName": made.name, "Qualifier": version}
    client.put_provisioned_concurrency_config(**chosen, ProvisionedConcurrentExecutions=2)
    wait_for(
        lambda: client.get_provisioned_concurrency_config(**chosen)["Status"] == "READY",
        what="both environments",
    )
    answer = client.invoke(**chosen, LogType="Tail")
    assert json.loads(answer["Payload"].read()) == "provisioned-concurrency"
