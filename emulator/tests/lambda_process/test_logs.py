"""A function's output in its log, and the lines that AWS adds."""

import json
import re
import time
from collections.abc import Callable

import pytest
from conftest import RUNTIME, Function, wait_for

Create = Callable[..., Function]


def test_logs_reach_cloudwatch(function: Create) -> None:
    """The log has START, the function's output from both streams in order, END and REPORT."""
    source = (
        "import sys, logging\n"
        "print('while initialising')\n"
        "def handler(event, context):\n"
        "    print('to stdout'); print('to stderr', file=sys.stderr)\n"
        "    logging.getLogger().warning('logged')\n"
        "    return context.aws_request_id\n"
    )
    made = function(source)
    request_id, _, log = made.invoke()
    pattern = (
        rf"while initialising\nSTART RequestId: {request_id} Version: \$LATEST\n"
        r"to stdout\nto stderr\n"
        rf"\[WARNING\]\t[\d:.TZ-]+\t{request_id}\tlogged\n"
        rf"END RequestId: {request_id}\n"
        rf"REPORT RequestId: {request_id}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t\n"
    )
    assert re.fullmatch(pattern, log), log
    assert any("to stderr" in line for line in made.whole_log())


def test_much_output_does_not_block(function: Create) -> None:
    """A function that prints far more than a pipe can hold still answers; its log is capped."""
    source = "def handler(event, context):\n    print('x' * 3_000_000)\n    return 'done'\n"
    made = function(source)
    payload, error, log = made.invoke()
    assert (payload, error) == ("done", None)
    assert re.search(r"\[\d+ bytes of output left out here\]\n", log)
    events = made.whole_log()
    assert 900_000 < sum(map(len, events)) < 1_200_000


@pytest.mark.same_without_namespaces
def test_init_start_appears_in_cloudwatch_only(function: Create) -> None:
    """An environment's log starts with INIT_START in CloudWatch, `LogResult` with START.

    The events are those of https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
    """
    made = function("def handler(event, context):\n    pass\n")
    _, _, log = made.invoke()
    assert log.startswith("START RequestId")
    events = made.whole_log()
    version = RUNTIME.removeprefix("python")
    assert re.fullmatch(
        rf"INIT_START Runtime Version: python:{version}\.v\d+\tRuntime Version ARN: arn:aws:lambda:.*\n",
        events[0],
    )
    assert events[1].startswith("START RequestId")
    made.invoke()
    wait_for(lambda: sum("REPORT" in event for event in made.events()) == 2, what="both logs")
    assert sum("INIT_START" in event for event in made.events()) == 1


def test_output_is_logged_unchanged(function: Create) -> None:
    """Carriage returns, empty lines, NULs and unterminated lines reach the log unchanged."""
    written = "50%\r100%\n\nnaïve\x00\tend"
    made = function(f"def handler(event, context):\n    print({written!r}, end='')\n")
    _, _, log = made.invoke()
    assert f"$LATEST\n{written}\nEND RequestId" in log
    events = made.whole_log()
    assert "50%\r100%\n" in events


def test_a_record_is_one_event(function: Create) -> None:
    """A `logging` record and an error's traceback are one event, however many lines they have."""
    made = function(
        "import logging\n"
        "def handler(event, context):\n"
        "    print('before')\n"
        "    logging.getLogger().warning('one\\ntwo')\n"
        "    print('after')\n"
        "    raise ValueError('boom')\n"
    )
    _, _, log = made.invoke()
    before, between, after = (log.index(word) for word in ("before", "one\ntwo", "after"))
    assert before < between < after
    events = made.whole_log()
    assert any(event.endswith("\tone\ntwo\n") for event in events)
    trace = next(event for event in events if event.startswith("[ERROR] ValueError: boom\n"))
    assert trace.splitlines()[1] == "Traceback (most recent call last):"
    assert not trace.endswith("\n")


def test_events_are_stamped_when_they_are_written(function: Create) -> None:
    """Two lines that are written 0.6 s apart have timestamps that far apart."""
    made = function(
        "import time\n"
        "def handler(event, context):\n"
        "    print('early'); time.sleep(0.6); print('late')\n"
    )
    before = time.time_ns() // 1_000_000
    made.invoke()
    logs = made.localstack.client("logs")
    made.whole_log()
    found = logs.filter_log_events(logGroupName=f"/aws/lambda/{made.name}")["events"]
    times = {event["message"].strip(): event["timestamp"] for event in found}
    assert before <= times["early"]
    assert 500 <= times["late"] - times["early"] <= 5000


@pytest.mark.same_without_namespaces
def test_json_format(function: Create) -> None:
    """In the JSON log format, the service's lines and the function's records are JSON.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
    """
    made = function(
        "import logging\n"
        "def handler(event, context):\n"
        "    logging.getLogger().info('for the machines')\n"
        "    logging.getLogger().debug('too much')\n",
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO"},
    )
    made.invoke()
    events = [json.loads(event) for event in made.whole_log()]
    assert [event.get("type", "record") for event in events] == [
        "platform.initStart",
        "platform.start",
        "record",
        "platform.report",
    ]
    assert events[2]["message"] == "for the machines"
    assert events[2]["requestId"] == events[1]["record"]["requestId"]
    report = events[3]["record"]
    assert report["status"] == "success"
    assert report["metrics"]["memorySizeMB"] == 128
    assert report["metrics"].keys() >= {"durationMs", "billedDurationMs", "initDurationMs"}


@pytest.mark.same_without_namespaces
@pytest.mark.parametrize(
    ("event", "status"),
    [("answer", "success"), ("raise", "error"), ("exit", "failure"), ("hang", "timeout")],
)
def test_the_json_report_has_the_status(function: Create, event: str, status: str) -> None:
    """In the JSON log format, REPORT says how the invocation ended.

    https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report
    """
    made = function(
        "import os, time\n"
        "def handler(event, context):\n"
        "    if event == 'raise': raise ValueError\n"
        "    if event == 'exit': os._exit(1)\n"
        "    if event == 'hang': time.sleep(60)\n",
        LoggingConfig={"LogFormat": "JSON"},
        Timeout=1,
    )
    made.invoke(event)
    report = json.loads(made.whole_log()[-1])
    assert (report["type"], report["record"]["status"]) == ("platform.report", status)


@pytest.mark.same_without_namespaces
def test_the_tail_is_the_last_4_kilobytes(function: Create) -> None:
    """`LogResult` contains at most the last 4,096 bytes.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-response-LogResult
    """
    made = function("def handler(event, context):\n    print('x' * 10000)\n")
    _, _, log = made.invoke()
    assert len(log) == 4096
    assert log.startswith("xxx")
    assert "REPORT RequestId" in log


@pytest.mark.same_without_namespaces
def test_a_long_line_is_several_events(function: Create) -> None:
    """A line that exceeds the size of a CloudWatch Logs event is split, and nothing is lost."""
    made = function("def handler(event, context):\n    print('x' * 600_000)\n")
    made.invoke()
    events = made.whole_log()
    assert sum(event.count("x") for event in events) >= 600_000
