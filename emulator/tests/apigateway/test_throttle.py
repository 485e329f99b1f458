"""The token bucket, with the time set by the tests."""

import threading

import pytest
from localstack_parity.apigateway.throttle import Buckets, Throttle, setting_of_method


def taken(buckets: Buckets, throttle: Throttle, times: int, now: float) -> int:
    return sum(buckets.take({"b": throttle}, now) for _ in range(times))


def test_only_a_burst_passes_at_once() -> None:
    """At any one moment, only as many requests pass as the burst allows."""
    assert taken(Buckets(), Throttle(rate=1, burst=3), times=10, now=5.0) == 3


def test_tokens_return_at_the_rate() -> None:
    """After a burst, requests pass at the rate, also within fractions of a second."""
    buckets, throttle = Buckets(), Throttle(rate=2, burst=3)
    taken(buckets, throttle, times=3, now=0.0)
    assert taken(buckets, throttle, times=5, now=0.25) == 0
    assert taken(buckets, throttle, times=5, now=0.5) == 1
    assert taken(buckets, throttle, times=5, now=1.5) == 2


def test_a_bucket_never_holds_more_than_the_burst() -> None:
    """A long pause does not save up more than one burst."""
    buckets, throttle = Buckets(), Throttle(rate=100, burst=3)
    taken(buckets, throttle, times=3, now=0.0)
    assert taken(buckets, throttle, times=10, now=3600.0) == 3


def test_changed_limits_apply_to_the_next_request() -> None:
    """A bucket keeps no limits of its own: the current ones apply."""
    buckets = Buckets()
    assert taken(buckets, Throttle(rate=1, burst=10), times=1, now=0.0) == 1
    assert taken(buckets, Throttle(rate=1, burst=2), times=10, now=0.0) == 2


def test_a_request_takes_a_token_from_every_bucket_or_from_none() -> None:
    """A request that one limit refuses takes no token from another."""
    buckets, wide, narrow = Buckets(), Throttle(0, 3), Throttle(0, 1)
    assert buckets.take({"wide": wide, "narrow": narrow}, 0.0)
    assert not buckets.take({"wide": wide, "narrow": narrow}, 0.0)
    assert sum(buckets.take({"wide": wide}, 0.0) for _ in range(5)) == 2


def test_times_out_of_order_do_no_harm() -> None:
    """Concurrent requests may arrive with times out of order; no time is counted twice."""
    buckets, throttle = Buckets(), Throttle(rate=100, burst=2)
    assert taken(buckets, throttle, times=1, now=10.0) == 1
    assert taken(buckets, throttle, times=1, now=9.99) == 1
    assert taken(buckets, throttle, times=1, now=10.0) == 0


def test_concurrent_requests_take_each_token_once() -> None:
    """Eight concurrent threads get exactly as many tokens as there are."""
    buckets, passed = Buckets(), [0] * 8
    start = threading.Barrier(8)

    def run(number: int) -> None:
        start.wait()
        passed[number] = taken(buckets, Throttle(0, 1000), times=500, now=0.0)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 1000


@pytest.mark.parametrize(
    ("rate", "burst", "expected"),
    [
        (None, 5, None),
        (-1, -1, None),
        (2, -1, None),
        (2.5, 5, Throttle(2.5, 5)),
        ("2.5", "5", Throttle(2.5, 5)),
        (0, 0, Throttle(0, 0)),
        (7, None, Throttle(7, 7)),
        (0.5, None, Throttle(0.5, 1)),
    ],
)
def test_settings_are_read_as_aws_writes_them(
    rate: object, burst: object, expected: Throttle | None
) -> None:
    """A missing or negative rate sets no limit; a rate and burst of zero let nothing pass."""
    assert Throttle.of(rate, burst) == expected


@pytest.mark.parametrize("name", ["/pets/{id}/GET", "pets/{id}/GET", "~1pets~1{id}/GET"])
def test_a_method_is_found_however_it_is_written(name: str) -> None:
    """AWS's operations write the same method in three ways."""
    settings = {"/pets/GET": {"rateLimit": 1.0}, name: {"rateLimit": 2.0}}
    assert setting_of_method(settings, "/pets/{id}", "GET") == {"rateLimit": 2.0}
    assert setting_of_method(settings, "/pets/{id}", "POST") is None


@pytest.mark.parametrize("name", ["//GET", "/GET", "~1/GET"])
def test_the_root_is_a_resource_too(name: str) -> None:
    """The methods of the root resource are found as well."""
    assert setting_of_method({name: {"rateLimit": 1.0}}, "/", "GET") == {"rateLimit": 1.0}
