"""What AWS writes around an invocation, and what it answers when a function breaks.

Sources: the log lines of
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html and the error payloads of
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, in the wording that AWS uses today.
"""

import json
import math
import signal

MAX_RESPONSE_BYTES = 6_291_556
"""Largest response of a synchronous invocation, in bytes, as AWS states it in its error message."""


def error(error_type: str, message: str) -> bytes:
    """Return an error payload of the service itself (a function's own errors pass unchanged)."""
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()


def timed_out(request_id: str, seconds: float) -> bytes:
    """Return the payload for a function that did not answer within its timeout."""
    return error(
        "Sandbox.Timedout",
        f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds",
    )


def exited(request_id: str, status: int) -> bytes:
    """Return the payload for a process that ended during an invocation.

    Parameters
    ----------
    request_id : str
        The invocation that was running.
    status : int
        As `subprocess.Popen.returncode`: an exit status, or a signal's number, negated.
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


def response_too_large() -> bytes:
    """Return the payload for a response beyond `MAX_RESPONSE_BYTES`."""
    return error(
        "Function.ResponseSizeTooLarge",
        "Response payload size exceeded maximum allowed payload size "
        f"({MAX_RESPONSE_BYTES} bytes).",
    )


def log(
    *,
    request_id: str,
    version: str,
    output: str,
    duration: float,
    memory_size: int,
    memory_used: int,
    init_duration: float | None,
    note: str = "",
) -> str:
    """Return one invocation's log: START, what the function wrote, END and REPORT.

    Parameters
    ----------
    request_id, version : str
        The invocation, and the function's version that served it.
    output : str
        What the function wrote, unchanged.
    duration, init_duration : float
        Seconds; `init_duration` is None but on a cold start, and is billed with the rest.
    memory_size, memory_used : int
        Megabytes.
    note : str
        A line of the service's own before END, such as that of a timeout.
    """
    if output and not output.endswith("\n"):
        output += "\n"
    if note:
        output += f"{note}\n"
    milliseconds = duration * 1000
    billed = math.ceil(milliseconds + (init_duration or 0) * 1000)
    line = (
        f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\t"
        f"Billed Duration: {billed} ms\tMemory Size: {memory_size} MB\t"
        f"Max Memory Used: {memory_used} MB\t"
    )
    if init_duration is not None:
        line += f"Init Duration: {init_duration * 1000:.2f} ms\t"
    return (
        f"START RequestId: {request_id} Version: {version}\n"
        f"{output}END RequestId: {request_id}\n{line}\n"
    )
