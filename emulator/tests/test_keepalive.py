"""The timers of execution environments."""

import threading

from localstack_parity.lambda_process.keepalive import Timer, Timers


def test_a_timer_calls_its_function() -> None:
    """A function is called when it is due, even if its timer was started after a later one."""
    later, sooner = threading.Event(), threading.Event()
    Timer(600, later.set).start()
    Timer(0.01, sooner.set).start()
    assert sooner.wait(10)
    assert not later.is_set()


def test_a_cancelled_timer_does_not_call_its_function() -> None:
    """A timer that is cancelled before it is due does not call its function."""
    cancelled, kept = threading.Event(), threading.Event()
    timer = Timer(0.05, cancelled.set)
    timer.start()
    timer.cancel()
    Timer(0.1, kept.set).start()
    assert kept.wait(10)
    assert not cancelled.is_set()


def test_cancelled_timers_leave_nothing_behind() -> None:
    """However many timers are started and cancelled, none is kept, and all share one thread."""
    timers = Timers()
    threads = threading.active_count()
    for _ in range(1000):
        timer = Timer(600, lambda: None)
        timers.start(timer)
        timers.cancel(timer)
    assert not timers._deadlines
    assert threading.active_count() <= threads + 1


def test_a_slow_function_does_not_delay_others() -> None:
    """Each function is called in a thread of its own."""
    release, second = threading.Event(), threading.Event()
    Timer(0, lambda: release.wait(30) and None).start()
    Timer(0.01, second.set).start()
    assert second.wait(10)
    release.set()
