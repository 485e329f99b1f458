"""The token bucket that API Gateway throttles with. It has no clock: the time is an argument."""

import math
import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Throttle:
    """How many requests are let through.

    Parameters
    ----------
    rate : float
        Tokens that come into the bucket, per second.
    burst : float
        Tokens that the bucket holds: requests that are let through at once.

    Notes
    -----
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
    """

    rate: float
    burst: float

    @classmethod
    def of(cls, rate: Any, burst: Any) -> "Throttle | None":
        """Read AWS's two settings; None when they limit nothing.

        A rate that is missing or negative does not limit (-1 is how a stage's setting is taken
        back); where only the burst is missing, it is one second's worth of requests.
        """
        if rate is None or float(rate) < 0 or (burst is not None and float(burst) < 0):
            return None
        rate = float(rate)
        return cls(rate, max(rate, 1.0) if burst is None else float(burst))


class Buckets:
    """Token buckets by name. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[Hashable, _Bucket] = {}

    def take(self, throttles: Mapping[Hashable, Throttle], now: float) -> bool:
        """Take a token from each of the named buckets, or from none.

        Parameters
        ----------
        throttles : mapping
            The limits of each bucket as they are now: a change takes effect at once. A bucket is
            full when it is first named.
        now : float
            Seconds, of a clock that only goes forward.

        Returns
        -------
        bool
            Whether every bucket had a token.
        """
        with self._lock:
            chosen = []
            for name, throttle in throttles.items():
                bucket = self._buckets.get(name)
                if bucket is None:
                    bucket = self._buckets[name] = _Bucket(now)
                bucket.fill(throttle, now)
                chosen.append(bucket)
            if any(bucket.tokens < 1 for bucket in chosen):
                return False
            for bucket in chosen:
                bucket.tokens -= 1
            return True


class _Bucket:
    __slots__ = ("_filled", "tokens")

    def __init__(self, now: float) -> None:
        self.tokens = math.inf
        self._filled = now

    def fill(self, throttle: Throttle, now: float) -> None:
        # Requests that run in parallel may arrive here in another order than they read the clock.
        elapsed = max(0.0, now - self._filled)
        self._filled += elapsed
        self.tokens = min(throttle.burst, self.tokens + elapsed * throttle.rate)


def setting_of_method(
    settings: Mapping[str, Mapping[str, Any]], path: str, method: str
) -> Mapping[str, Any] | None:
    """Find the settings of one method of an API.

    Parameters
    ----------
    settings : mapping
        By ``{resource path}/{method}``, with or without a leading slash, with slashes in the path
        written as such or as ``~1``: AWS's operations differ.
    path, method : str
        The resource's path, such as ``/pets/{id}``, and the method as the API has it, such as
        ``GET`` or ``ANY``.
    """
    wanted = _plain(f"{path}/{method}")
    for name, setting in list(settings.items()):  # a plan may be changed meanwhile
        if _plain(name) == wanted:
            return setting
    return None


@lru_cache(maxsize=1024)
def _plain(name: str) -> str:
    path, _, method = name.replace("~1", "/").rpartition("/")
    return f"{path.strip('/')}/{method}"
