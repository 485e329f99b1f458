"""How an invocation ended, and what follows from it.

`determine` looks at the process once, as soon as it has answered or has failed to. The payload that
the caller gets, the status in REPORT, the note in the log and whether the process is killed all
follow from the `Outcome` that it returns.
"""

from dataclasses import dataclass
from enum import Enum, auto

from localstack_parity.lambda_process import report
from localstack_parity.lambda_process.function_process import FunctionProcess
from localstack_parity.lambda_process.runtime_api import Answer


class Kind(Enum):
    """The ways in which an invocation can end."""

    ANSWERED = auto()
    """The process returned a response, or the error of its handler."""
    TIMED_OUT = auto()
    """The process was still running when the time was up."""
    OUT_OF_MEMORY = auto()
    """The process was killed because it needed more than its memory size."""
    INIT_FAILED = auto()
    """The process reported an initialisation error and ended."""
    EXITED = auto()
    """The process ended without an answer, or could not be executed at all."""


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended.

    Attributes
    ----------
    kind : Kind
        The way in which it ended.
    payload : bytes
        What the caller gets.
    is_error : bool
        Whether that payload is an error.
    status : str
        The status in REPORT: ``success``, ``error``, ``failure`` or ``timeout``.
    note : str
        A line of the service's own in the log, before END; empty for none.
    """

    kind: Kind
    payload: bytes
    is_error: bool = True
    status: str = "failure"
    note: str = ""

    @property
    def kills_process(self) -> bool:
        """Whether the process must be killed: after a timeout it may be doing anything."""
        return self.kind is Kind.TIMED_OUT


def determine(
    process: FunctionProcess, answer: Answer | None, request_id: str, timeout: float
) -> Outcome:
    """Return how an invocation ended.

    Too much memory wins over an answer: a peak may be noticed only after the answer.

    Parameters
    ----------
    process : FunctionProcess
        The process that ran the invocation, after `FunctionProcess.end_work`.
    answer : Answer or None
        What the process answered; None where it did not, or did not initialise.
    request_id : str
        The invocation.
    timeout : float
        The function's timeout, in seconds.
    """
    if process.out_of_memory:
        return Outcome(Kind.OUT_OF_MEMORY, report.out_of_memory(request_id))
    ended = process.api.closed
    if answer is not None:
        status = "error" if answer.is_error else "success"
        return Outcome(
            Kind.ANSWERED, answer.payload, answer.is_error, "failure" if ended else status
        )
    if not ended:
        return Outcome(
            Kind.TIMED_OUT,
            report.timed_out(request_id, timeout),
            status="timeout",
            note=report.timeout_note(request_id, timeout),
        )
    if init_error := process.api.init_error:
        return Outcome(Kind.INIT_FAILED, init_error)
    if reason := process.entrypoint_error:
        return Outcome(Kind.EXITED, report.invalid_entrypoint(request_id, reason))
    return Outcome(Kind.EXITED, report.exited(request_id, process.exit_status or 0))
