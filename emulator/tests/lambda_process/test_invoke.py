"""Invocations that succeed: payloads, layers and execution environments."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import RUNTIME, Function, Gate, LocalStack

Create = Callable[..., Function]

ECHO = "def handler(event, context):\n    return event\n"


@pytest.mark.same_without_namespaces
def test_the_executor_in_use_is_process(localstack: LocalStack) -> None:
    """The info endpoint names the executor that LocalStack really uses."""
    assert localstack.info()["executor"] == "process"


def test_a_payload_is_returned(function: Create) -> None:
    """The event reaches the handler unchanged, and the result reaches the caller unchanged."""
    event = {"text": "naïve — \u0085", "nested": [1, 2.5, None, True]}
    payload, error, log = function(ECHO).invoke(event)
    assert (payload, error) == (event, None)
    assert "Init Duration" in log


def test_a_function_reaches_localstack(function: Create) -> None:
    """boto3 is part of the runtime and reaches LocalStack without any configuration."""
    source = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    s3 = boto3.client('s3')\n"
        "    s3.create_bucket(Bucket=event)\n"
        "    return [b['Name'] for b in s3.list_buckets()['Buckets']]\n"
    )
    payload, _, _ = function(source, Timeout=20).invoke("made-by-a-function")
    assert "made-by-a-function" in payload


def test_layers_are_importable_and_the_last_one_wins(
    function: Create, layer: Callable[[Mapping[str, str]], str]
) -> None:
    """Both package folders of a layer are importable; later layers win, and all hide the runtime."""
    first = layer({"python/both.py": "n = 1", "python/one.py": "n = 1", "python/boto3.py": "n = 1"})
    packages = f"python/lib/{RUNTIME}/site-packages"
    second = layer({"python/both.py": "n = 2", f"{packages}/deep.py": "n = 2"})
    source = (
        "import both, one, deep, boto3\n"
        "def handler(event, context):\n"
        "    return [both.n, one.n, deep.n, boto3.n]\n"
    )
    payload, _, _ = function(source, Layers=[first, second]).invoke()
    assert payload == [2, 1, 2, 1]


@pytest.mark.same_without_namespaces
def test_layers_are_unpacked_before_the_first_request(
    localstack: LocalStack, function: Create, layer: Callable[[Mapping[str, str]], str]
) -> None:
    """A layer is unpacked when a function becomes active, and once for all its functions."""
    arn = layer({"python/marker_of_this_layer.py": "n = 1"})
    function(ECHO, Layers=[arn])
    function(ECHO, Layers=[arn])
    found = list(localstack.state.rglob("marker_of_this_layer.py"))
    assert len(found) == 1


def test_an_environment_is_reused(function: Create) -> None:
    """A second invocation sees what the first one left in memory and in the temporary folder."""
    source = (
        "import os, pathlib, tempfile\n"
        "count = 0\n"
        "def handler(event, context):\n"
        "    global count\n"
        "    count += 1\n"
        "    path = pathlib.Path(tempfile.gettempdir(), 'seen')\n"
        "    seen = path.exists()\n"
        "    path.touch()\n"
        "    return [count, seen, os.getpid()]\n"
    )
    made = function(source)
    (first, seen_first, pid), _, cold = made.invoke()
    (second, seen_second, same), _, warm = made.invoke()
    assert (first, seen_first, second, seen_second, same) == (1, False, 2, True, pid)
    assert "Init Duration" in cold
    assert "Init Duration" not in warm


def test_new_code_serves_the_next_invocation(function: Create) -> None:
    """The invocation after an update runs the new code."""
    made = function("def handler(event, context):\n    return 'old'\n")
    assert made.invoke()[0] == "old"
    made.update("def handler(event, context):\n    return 'new'\n")
    assert made.invoke()[0] == "new"


def test_parallel_invocations_get_environments_of_their_own(function: Create, gate: Gate) -> None:
    """Overlapping invocations run in different processes and get their own answers."""
    source = (
        "import uuid\n"
        "process = uuid.uuid4().hex\n"
        "def handler(events, context):\n"
        "    number, event = events\n"
        f"    {gate.HOLD}\n"
        "    return [number, process]\n"
    )
    made = function(source)
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(made.invoke, [number, gate.port]) for number in range(4)]
        gate.wait_for(4)
        gate.open()
        answers: list[Any] = [one.result()[0] for one in running]
    assert [number for number, _ in answers] == [0, 1, 2, 3]
    assert len({process for _, process in answers}) == 4
