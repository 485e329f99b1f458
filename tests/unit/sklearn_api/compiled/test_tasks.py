"""Tasks that run in other threads."""

import threading

import pytest

from sklearn_api.compiled.tasks import Task


def test_a_task_starts_at_once() -> None:
    """It runs before anybody asks for its result, and returns the result more than once."""
    started, proceed = threading.Event(), threading.Event()

    def work() -> str:
        started.set()
        assert proceed.wait(10)
        return threading.current_thread().name

    task = Task(work)
    assert started.wait(10)
    proceed.set()
    assert task.result() == task.result() != threading.current_thread().name


def test_an_error_is_raised_when_the_result_is_read() -> None:
    """An error in the function is raised for every reader, and not printed by the thread."""
    task: Task[int] = Task(lambda: [][0])
    for _ in range(2):
        with pytest.raises(IndexError):
            task.result()


def test_without_another_thread_a_task_runs_in_the_current_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If no thread can be started, the function runs in the current one."""

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert Task(lambda: threading.current_thread()).result() is threading.current_thread()
    with pytest.raises(IndexError):
        Task[int](lambda: [][0]).result()
