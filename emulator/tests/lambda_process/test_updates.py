"""Updates of code and configuration, and asynchronous invocations."""

import json
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import RUNTIME, Function, Gate, LocalStack, wait_for, wait_until_ready

Create = Callable[..., Function]


def test_running_invocations_finish_with_the_old_code(function: Create, gate: Gate) -> None:
    """An update serves the next invocation immediately; a running one ends with the old code."""
    made = function(
        {
            "handler.py": f"def handler(event, context):\n    {gate.HOLD}\n"
            "    import late\n    return late.WORD\n",
            "late.py": "WORD = 'old'\n",
        },
        Timeout=20,
    )
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(made.invoke, gate.port)
        gate.wait_for(1)
        made.update("def handler(event, context):\n    return 'new'\n")
        assert made.invoke()[0] == "new"
        time.sleep(0.5)  # LocalStack on its own stops the old version and deletes its code by then
        gate.open()
        assert running.result()[:2] == ("old", None)


@pytest.mark.same_without_namespaces
def test_new_configuration_serves_the_next_invocation(function: Create) -> None:
    """The next invocation sees a changed variable, memory size and timeout."""
    made = function(
        "import os\ndef handler(event, context):\n"
        "    more = context.get_remaining_time_in_millis() > 5000\n"
        "    return [os.environ['A'], context.memory_limit_in_mb, more]\n",
        Environment={"Variables": {"A": "1"}},
        Timeout=5,
    )
    assert made.invoke()[0] == ["1", "128", False]
    client = made.localstack.client("lambda")
    client.update_function_configuration(
        FunctionName=made.name, Environment={"Variables": {"A": "2"}}, MemorySize=256, Timeout=9
    )
    wait_until_ready(client, "function_updated_v2", made.name)
    assert made.invoke()[0] == ["2", "256", True]


def test_published_versions_keep_their_code(function: Create) -> None:
    """An update of $LATEST does not touch published versions or their files."""
    made = function("def handler(event, context):\n    return 'one'\n")
    client = made.localstack.client("lambda")
    version = client.publish_version(FunctionName=made.name)["Version"]
    made.update("def handler(event, context):\n    return 'two'\n")
    old = client.invoke(FunctionName=made.name, Qualifier=version)
    assert json.loads(old["Payload"].read()) == "one"
    assert made.invoke()[0] == "two"


@pytest.fixture
def queue(localstack: LocalStack) -> tuple[str, Callable[[], Any]]:
    """A queue's ARN, and a function that waits for its next message."""
    sqs = localstack.client("sqs")
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])

    def message() -> Any:
        def receive() -> Any:
            return sqs.receive_message(
                QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=1
            ).get("Messages")

        return wait_for(receive, 40, "a message")[0]

    return arn["Attributes"]["QueueArn"], message


@pytest.mark.same_without_namespaces
def test_failed_events_are_retried_and_sent_to_the_dead_letter_queue(
    localstack: LocalStack, function: Create, queue: tuple[str, Callable[[], Any]]
) -> None:
    """An event is retried with the same request id, logged each time, and then sent to the queue.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """
    arn, message = queue
    made = function(
        "def handler(event, context):\n    raise ValueError(event)\n",
        DeadLetterConfig={"TargetArn": arn},
    )
    client = localstack.client("lambda")
    client.put_function_event_invoke_config(FunctionName=made.name, MaximumRetryAttempts=1)
    answer = client.invoke(FunctionName=made.name, InvocationType="Event", Payload='"lost"')
    assert answer["StatusCode"] == 202
    found = message()
    assert found["Body"] == '"lost"'
    assert "lost" in found["MessageAttributes"]["ErrorMessage"]["StringValue"]
    request_id = answer["ResponseMetadata"]["RequestId"]

    def reports_of_the_event() -> list[str]:
        return [e for e in made.events() if e.startswith(f"REPORT RequestId: {request_id}")]

    wait_for(lambda: len(reports_of_the_event()) >= 2, what="the second report")
    reports = reports_of_the_event()
    assert len(reports) == 2
    assert ["Init Duration" in report for report in reports] == [True, False]


@pytest.mark.same_without_namespaces
@pytest.mark.parametrize(
    ("kind", "event", "condition"),
    [("OnSuccess", 1, "Success"), ("OnFailure", 0, "RetriesExhausted")],
)
def test_destinations(
    localstack: LocalStack,
    function: Create,
    queue: tuple[str, Callable[[], Any]],
    kind: str,
    event: int,
    condition: str,
) -> None:
    """The result of an asynchronous invocation reaches its destination.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    arn, message = queue
    made = function("def handler(event, context):\n    return 1 / event\n")
    client = localstack.client("lambda")
    client.put_function_event_invoke_config(
        FunctionName=made.name,
        MaximumRetryAttempts=0,
        DestinationConfig={kind: {"Destination": arn}},
    )
    client.invoke(FunctionName=made.name, InvocationType="Event", Payload=str(event))
    body = json.loads(message()["Body"])
    assert body["requestContext"]["condition"] == condition
    assert body["requestPayload"] == event
    if kind == "OnFailure":
        assert body["responsePayload"]["errorType"] == "ZeroDivisionError"
    else:
        assert body["responsePayload"] == 1.0


@pytest.fixture
def hot(localstack: LocalStack, tmp_path: Path) -> tuple[Function, Path]:
    """Return a function whose code is a folder on this machine, and that folder."""
    name = f"hot-{uuid.uuid4().hex[:8]}"
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)
    (tmp_path / "handler.py").write_text(
        "import helper\ndef handler(event, context):\n    return helper.WORD\n"
    )
    (tmp_path / "helper.py").write_text("WORD = 'first'\n")
    client = localstack.client("lambda")
    client.create_function(
        FunctionName=name,
        Runtime=RUNTIME,
        Handler="handler.handler",
        Role="arn:aws:iam::000000000000:role/any",
        Code={"S3Bucket": "hot-reload", "S3Key": str(tmp_path)},
    )
    wait_until_ready(client, "function_active_v2", name)
    return Function(localstack, name), tmp_path


def test_a_saved_change_serves_the_next_request(hot: tuple[Function, Path]) -> None:
    """With LocalStack's hot-reload bucket, a change to any file restarts the function cleanly."""
    made, folder = hot
    assert made.invoke()[0] == "first"
    for word in ("second", "third"):
        (folder / "helper.py").write_text(f"WORD = '{word}'\n")
        payload, error, log = made.invoke()
        assert (payload, error) == (word, None)
        assert "exit" not in log
    (folder / "helper.py").write_text("WORD = \n")
    assert made.invoke()[0]["errorType"] == "Runtime.UserCodeSyntaxError"
    (folder / "helper.py").write_text("WORD = 'mended'\n")
    assert made.invoke()[:2] == ("mended", None)


def test_an_unchanged_folder_keeps_its_process(hot: tuple[Function, Path]) -> None:
    """The function is not restarted if nothing has changed."""
    made, _ = hot
    assert "Init Duration" in made.invoke()[2]
    for _ in range(3):
        assert "Init Duration" not in made.invoke()[2]
