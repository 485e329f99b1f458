"""What AWS writes around an invocation, and the payload it returns when a function breaks.

Sources: the log lines of
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html, their JSON form in
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html, and the error
payloads of https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, in AWS's current
wording.
"""

import json
import math
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localstack_parity.lambda_process.output import LogEvent, now


def error(error_type: str, message: str) -> bytes:
    """Return an error payload of the service itself (a function's own errors pass unchanged)."""
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()


def timed_out(request_id: str, seconds: float) -> bytes:
    """Return the payload for a function that did not answer within its timeout."""
    return error(
        "Sandbox.Timedout",
        f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds",
    )


def timeout_note(request_id: str, seconds: float) -> str:
    """Return the log line for a function that did not answer within its timeout."""
    stamp = time.time()
    clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stamp))
    milliseconds = int(stamp % 1 * 1000)
    return f"{clock}.{milliseconds:03d}Z {request_id} Task timed out after {seconds:.2f} seconds\n"


def out_of_memory(request_id: str) -> bytes:
    """Return the payload for a function that exceeded its memory size."""
    return error(
        "Runtime.OutOfMemory",
        f"RequestId: {request_id} Error: Runtime exited with error: signal: killed",
    )


def invalid_entrypoint(request_id: str, reason: str) -> bytes:
    """Return the payload for a function of an OS-only runtime whose program cannot be executed."""
    return error("Runtime.InvalidEntrypoint", f"RequestId: {request_id} Error: {reason}")


def exited(request_id: str, status: int) -> bytes:
    """Return the payload for a process that ended during an invocation.

    Parameters
    ----------
    request_id : str
        The invocation that was running.
    status : int
        As in `subprocess.Popen.returncode`: an exit status, or the negative number of a signal.
    """
    if status == 0:
        reason = "Runtime exited without providing a reason"
    elif status > 0:
        reason = f"Runtime exited with error: exit status {status}"
    else:
        names: dict[int, str] = {signal.SIGKILL: "killed", signal.SIGSEGV: "segmentation fault"}
        name = names.get(-status) or (signal.strsignal(-status) or str(-status)).lower()
        reason = f"Runtime exited with error: signal: {name}"
    return error("Runtime.ExitError", f"RequestId: {request_id} Error: {reason}")


def response_too_large(limit: int) -> bytes:
    """Return the payload for a response of more than `limit` bytes."""
    return error(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({limit} bytes).",
    )


class InvocationLog(str):
    """An invocation's log: a string that also carries its events.

    LocalStack passes it on as the string that it is, cuts `LogResult` from its end, and gives it to
    `delivery.py` for CloudWatch Logs.
    """

    events: list[LogEvent]


@dataclass(frozen=True)
class LoggedFunction:
    """The function as its log describes it.

    Attributes
    ----------
    version : str
        The version that serves the invocation, ``$LATEST`` or a number.
    runtime, runtime_arn : str
        Such as ``python:3.13.v1``, and AWS's name for that version of the runtime.
    memory_mb : int
        Memory size.
    as_json : bool
        Whether the log format is JSON instead of text.
    quiet : bool
        Whether the service logs failures only (system log level WARN).
    """

    version: str
    runtime: str
    runtime_arn: str
    memory_mb: int
    as_json: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Init:
    """An initialisation.

    Attributes
    ----------
    events : sequence of LogEvent
        What the function wrote.
    started_at_ms : int
        Milliseconds since 1970.
    seconds : float or None
        How long it took, None where it failed or ran within the invocation.
    """

    events: list[LogEvent]
    started_at_ms: int
    seconds: float | None


@dataclass(frozen=True)
class CompletedInvocation:
    """An invocation that has ended.

    Attributes
    ----------
    request_id : str
        The id of its request.
    started_at_ms : int
        Milliseconds since 1970.
    events : list of LogEvent
        What the function wrote.
    seconds : float
        How long it took.
    used_mb : int
        The most memory that it used.
    status : str
        ``success``, ``error``, ``failure`` or ``timeout``.
    note : str
        A line of the service's own before END, such as that of a timeout.
    """

    request_id: str
    started_at_ms: int
    events: list[LogEvent]
    seconds: float
    used_mb: int
    status: str
    note: str = ""


def log(
    function: LoggedFunction, invocation: CompletedInvocation, inits: Iterable[Init]
) -> InvocationLog:
    """Return an invocation's log: INIT_START, START, what the function wrote, END and REPORT.

    INIT_START goes to CloudWatch Logs only. As on AWS, the output of an initialisation before the
    invocation precedes START, and that of one within the invocation follows it.

    Parameters
    ----------
    function : LoggedFunction
        The function.
    invocation : CompletedInvocation
        The invocation.
    inits : iterable of Init
        The initialisations since the last invocation.
    """
    lines = _JsonLines(function) if function.as_json else _TextLines(function)
    before: list[LogEvent] = []
    hidden: list[LogEvent] = []
    init_seconds = None
    for init in inits:
        hidden.extend(_wanted(function, "success", lines.init_start(init)))
        if init.seconds is not None:
            init_seconds = init.seconds
        before.extend(init.events)
    ended = now()
    body = [*before, *_wanted(function, "success", lines.start(invocation)), *invocation.events]
    if invocation.note:
        body.append(LogEvent(ended, f"{invocation.note}\n"))
    body.extend(_wanted(function, invocation.status, lines.end(invocation, init_seconds, ended)))
    result = InvocationLog("".join(_with_line_break(event.message) for event in body))
    result.events = [*hidden, *body]
    return result


def _wanted(function: LoggedFunction, status: str, events: list[LogEvent]) -> list[LogEvent]:
    return [] if function.quiet and status == "success" else events


def _with_line_break(message: str) -> str:
    return message if message.endswith("\n") else f"{message}\n"


class _TextLines:
    def __init__(self, function: LoggedFunction) -> None:
        self._function = function

    def init_start(self, init: Init) -> list[LogEvent]:
        runtime = self._function
        line = f"INIT_START Runtime Version: {runtime.runtime}\t"
        return [LogEvent(init.started_at_ms, f"{line}Runtime Version ARN: {runtime.runtime_arn}\n")]

    def start(self, invocation: CompletedInvocation) -> list[LogEvent]:
        line = f"START RequestId: {invocation.request_id} Version: {self._function.version}\n"
        return [LogEvent(invocation.started_at_ms, line)]

    def end(
        self, invocation: CompletedInvocation, init: float | None, ended: int
    ) -> list[LogEvent]:
        milliseconds = invocation.seconds * 1000
        report = (
            f"REPORT RequestId: {invocation.request_id}\tDuration: {milliseconds:.2f} ms\t"
            f"Billed Duration: {_billed(invocation, init)} ms\t"
            f"Memory Size: {self._function.memory_mb} MB\t"
            f"Max Memory Used: {invocation.used_mb} MB\t"
        )
        if init is not None:
            report += f"Init Duration: {init * 1000:.2f} ms\t"
        end = f"END RequestId: {invocation.request_id}\n"
        return [LogEvent(ended, end), LogEvent(ended, f"{report}\n")]


class _JsonLines:
    def __init__(self, function: LoggedFunction) -> None:
        self._function = function

    def init_start(self, init: Init) -> list[LogEvent]:
        record = {
            "initializationType": "on-demand",
            "phase": "init",
            "runtimeVersion": self._function.runtime,
            "runtimeVersionArn": self._function.runtime_arn,
        }
        return [_platform(init.started_at_ms, "initStart", record)]

    def start(self, invocation: CompletedInvocation) -> list[LogEvent]:
        record = {"requestId": invocation.request_id, "version": self._function.version}
        return [_platform(invocation.started_at_ms, "start", record)]

    def end(
        self, invocation: CompletedInvocation, init: float | None, ended: int
    ) -> list[LogEvent]:
        metrics: dict[str, Any] = {
            "durationMs": round(invocation.seconds * 1000, 3),
            "billedDurationMs": _billed(invocation, init),
            "memorySizeMB": self._function.memory_mb,
            "maxMemoryUsedMB": invocation.used_mb,
        }
        if init is not None:
            metrics["initDurationMs"] = round(init * 1000, 3)
        record = {"requestId": invocation.request_id, "metrics": metrics}
        return [_platform(ended, "report", {**record, "status": invocation.status})]


def _platform(milliseconds: int, kind: str, record: dict[str, Any]) -> LogEvent:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"
    content = {"time": stamp, "type": f"platform.{kind}", "record": record}
    return LogEvent(milliseconds, json.dumps(content, separators=(",", ":")) + "\n")


def _billed(invocation: CompletedInvocation, init: float | None) -> int:
    # https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
    return math.ceil((invocation.seconds + (init or 0)) * 1000)
