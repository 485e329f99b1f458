"""Functions in threads of their own."""

import threading

import pytest

from sklearn_api.compiled.tasks import Task


def test_a_task_runs_beside_what_started_it() -> None:
    """It is under way before anybody asks for its result, which can be had more than once."""
    begun, go_on = threading.Event(), threading.Event()

    def work() -> str:
        begun.set()
        assert go_on.wait(10)
        return threading.current_thread().name

    task = Task(work)
    assert begun.wait(10)
    go_on.set()
    assert task.result() == task.result() != threading.current_thread().name


def test_an_error_reaches_who_asks_for_the_result() -> None:
    """What the function raises is raised again, and not printed by its thread."""
    task: Task[int] = Task(lambda: [][0])
    for _ in range(2):
        with pytest.raises(IndexError):
            task.result()


def test_without_another_thread_the_work_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the system has no more threads, the function runs in the one that there is."""

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert Task(lambda: threading.current_thread()).result() is threading.current_thread()
    with pytest.raises(IndexError):
        Task[int](lambda: [][0]).result()
