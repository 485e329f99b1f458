"""Functions that break: each is reported as on AWS, and the next invocation works."""

import time
from collections.abc import Callable

import pytest
from conftest import Function

Create = Callable[..., Function]


def source(body: str) -> str:
    return f"import os, sys, time, signal\ndef handler(event, context):\n    {body}\n"


def test_an_exception_is_reported_with_its_stack_trace(function: Create) -> None:
    """The caller gets type, message and stack trace of an unhandled exception; it is logged."""
    payload, error, log = function(source("raise ValueError('boom')")).invoke()
    assert error == "Unhandled"
    assert payload["errorType"] == "ValueError"
    assert payload["errorMessage"] == "boom"
    assert "handler.py" in payload["stackTrace"][0]
    assert "[ERROR] ValueError: boom" in log


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "Runtime exited with error: signal: killed"),
    ],
)
def test_an_exit_is_reported_and_the_next_invocation_works(
    function: Create, body: str, reason: str
) -> None:
    """A process that exits yields `Runtime.ExitError`; the next invocation starts a new one."""
    made = function(source(f"if event == 'die': {body}\n    return 'alive'"))
    payload, error, log = made.invoke("die")
    assert error == "Unhandled"
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith(f"Error: {reason}")
    assert "REPORT RequestId" in log
    assert made.invoke("live")[:2] == ("alive", None)


def test_a_timeout_kills_everything_and_the_next_invocation_works(function: Create) -> None:
    """At its timeout a function is killed with all its children, even in other sessions."""
    made = function(
        "import os, subprocess, time\n"
        "def handler(event, context):\n"
        "    if event != 'slow': return 'alive'\n"
        "    print('about to sleep')\n"
        "    subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
        "    time.sleep(1000)\n",
        Timeout=1,
    )
    payload, error, log = made.invoke("slow")
    assert error == "Unhandled"
    assert payload["errorType"] == "Sandbox.Timedout"
    assert payload["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert "about to sleep" in log
    assert "Task timed out after 1.00 seconds" in log
    assert "sleep" not in made.localstack.function_programs()
    assert made.invoke("fast")[:2] == ("alive", None)


@pytest.mark.parametrize(
    ("files", "error_type"),
    [
        ({"handler.py": "import no_such_module"}, "Runtime.ImportModuleError"),
        ({"handler.py": "def handler(:"}, "Runtime.UserCodeSyntaxError"),
        ({"handler.py": "other = 1"}, "Runtime.HandlerNotFound"),
        ({"other.py": "x = 1"}, "Runtime.ImportModuleError"),
    ],
)
def test_the_caller_gets_an_initialisation_error(
    function: Create, files: dict[str, str], error_type: str
) -> None:
    """Every invocation returns the initialisation error and logs it."""
    made = function(files)
    for _ in range(2):
        payload, error, log = made.invoke()
        assert error == "Unhandled"
        assert payload["errorType"] == error_type
        assert error_type in log


@pytest.mark.same_without_namespaces
def test_too_large_a_response_is_an_error_of_that_invocation(function: Create) -> None:
    """Over 6,291,556 bytes the caller gets AWS's error; the next invocation works."""
    made = function(source("return 'x' * event"))
    for _ in range(3):  # AWS's client may exit after that, at any time
        payload, error, _ = made.invoke(6_291_600)
        assert error == "Unhandled"
        assert payload["errorType"] == "Function.ResponseSizeTooLarge"
        assert made.invoke(3)[:2] == ("xxx", None)


def test_a_process_that_dies_after_its_answer_fails_no_invocation(function: Create) -> None:
    """If the process dies between two invocations, the second one gets a new process."""
    made = function(
        "import os, threading, time\n"
        "def die():\n"
        "    time.sleep(0.02)\n"
        "    os._exit(1)\n"
        "def handler(event, context):\n"
        "    if event: threading.Thread(target=die).start()\n"
        "    return 'answered'\n"
    )
    for _ in range(5):
        assert made.invoke(True)[:2] == ("answered", None)
        time.sleep(0.1)


@pytest.mark.same_without_namespaces
def test_a_result_that_is_not_json_is_an_error(function: Create) -> None:
    """A result that cannot be serialised is reported as by AWS's runtime client."""
    payload, error, _ = function(source("return object()")).invoke()
    assert error == "Unhandled"
    assert payload["errorType"] == "Runtime.MarshalError"
