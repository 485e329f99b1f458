"""How an invocation ends, and what follows from it for the caller, the log and the process."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from localstack_parity.lambda_process.outcome import Kind, Outcome, determine
from localstack_parity.lambda_process.runtime_api import Answer

pytestmark = pytest.mark.same_without_namespaces


@dataclass
class FakeApi:
    closed: bool = False
    init_error: bytes | None = None


@dataclass
class FakeProcess:
    """A process as `determine` sees it: still running, unless something else is given."""

    api: FakeApi = field(default_factory=FakeApi)
    out_of_memory: bool = False
    entrypoint_error: str | None = None
    exit_status: int | None = None


def outcome_of(process: FakeProcess, answer: Answer | None = None) -> Outcome:
    return determine(process, answer, "the-id", 3.0)


def error_of(outcome: Outcome) -> tuple[str, str]:
    assert outcome.is_error
    payload: dict[str, Any] = json.loads(outcome.payload)
    return payload["errorType"], payload["errorMessage"]


def exited(status: int | None, **settings: Any) -> FakeProcess:
    return FakeProcess(FakeApi(closed=True), exit_status=status, **settings)


@pytest.mark.parametrize(("is_error", "status"), [(False, "success"), (True, "error")])
def test_an_answer_is_passed_on_unchanged(is_error: bool, status: str) -> None:
    """A response, or the error of a handler, reaches the caller as it is."""
    outcome = outcome_of(FakeProcess(), Answer(b'"anything"', is_error))
    assert outcome == Outcome(Kind.ANSWERED, b'"anything"', is_error, status)
    assert not outcome.kills_process


def test_an_answer_counts_even_if_the_process_has_ended_since() -> None:
    """The caller gets the answer; REPORT has the status of a failure."""
    outcome = outcome_of(exited(1), Answer(b"1", False))
    assert outcome == Outcome(Kind.ANSWERED, b"1", False, "failure")
    assert not outcome.kills_process


def test_a_process_that_still_runs_has_timed_out() -> None:
    """A timeout is an error with a note in the log, and the process is killed."""
    outcome = outcome_of(FakeProcess())
    assert (outcome.kind, outcome.status) == (Kind.TIMED_OUT, "timeout")
    reason = "Task timed out after 3.00 seconds"
    assert error_of(outcome) == ("Sandbox.Timedout", f"RequestId: the-id Error: {reason}")
    assert outcome.note.endswith(f"Z the-id {reason}\n")
    assert outcome.kills_process


@pytest.mark.parametrize("answer", [None, Answer(b"1", False), Answer(b"{}", True)])
@pytest.mark.parametrize("closed", [False, True])
def test_too_much_memory_wins_over_everything_else(answer: Answer | None, closed: bool) -> None:
    """A peak may be noticed after the answer or at the timeout: the invocation has failed."""
    process = FakeProcess(FakeApi(closed, init_error=b"{}"), out_of_memory=True, exit_status=-9)
    outcome = outcome_of(process, answer)
    assert (outcome.kind, outcome.status) == (Kind.OUT_OF_MEMORY, "failure")
    reason = "Runtime exited with error: signal: killed"
    assert error_of(outcome) == ("Runtime.OutOfMemory", f"RequestId: the-id Error: {reason}")
    assert outcome.note == ""
    assert not outcome.kills_process


def test_an_initialisation_error_is_what_the_caller_gets() -> None:
    """What the process posted before it ended is the payload of the invocation."""
    process = exited(1, entrypoint_error="Couldn't find valid bootstrap(s): []")
    process.api.init_error = b'{"errorType": "Runtime.ImportModuleError"}'
    outcome = outcome_of(process)
    assert outcome == Outcome(Kind.INIT_FAILED, process.api.init_error, True, "failure")
    assert not outcome.kills_process


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (0, "Runtime exited without providing a reason"),
        (3, "Runtime exited with error: exit status 3"),
        (-9, "Runtime exited with error: signal: killed"),
        (-11, "Runtime exited with error: signal: segmentation fault"),
        (-6, "Runtime exited with error: signal: aborted"),
    ],
)
def test_an_exit_is_explained_by_its_status(status: int, reason: str) -> None:
    """The error names the exit status or the signal."""
    outcome = outcome_of(exited(status))
    assert (outcome.kind, outcome.status, outcome.note) == (Kind.EXITED, "failure", "")
    assert error_of(outcome) == ("Runtime.ExitError", f"RequestId: the-id Error: {reason}")
    assert not outcome.kills_process


def test_a_program_that_cannot_be_executed_is_named() -> None:
    """For an OS-only runtime, the reason why its program did not start replaces the status."""
    outcome = outcome_of(exited(126, entrypoint_error="fork/exec /var/task/bootstrap: denied"))
    assert (outcome.kind, outcome.status) == (Kind.EXITED, "failure")
    reason = "RequestId: the-id Error: fork/exec /var/task/bootstrap: denied"
    assert error_of(outcome) == ("Runtime.InvalidEntrypoint", reason)
