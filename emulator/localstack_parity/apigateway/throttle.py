"""The token bucket of API Gateway's throttling. There is no clock: the time is an argument."""

import math
import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Throttle:
    """The limits of a token bucket.

    Parameters
    ----------
    rate : float
        Tokens added to the bucket per second.
    burst : float
        Capacity of the bucket: how many requests may pass at once.

    Notes
    -----
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
    """

    rate: float
    burst: float

    @classmethod
    def of(cls, rate: Any, burst: Any) -> "Throttle | None":
        """Return the limits of AWS's two settings, or None if they set no limit.

        A missing or negative value sets no limit (-1 removes a stage's setting). If only the burst
        is missing, it is one second's worth of requests.
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
            The current limits of each bucket: a change takes effect at once. A bucket is full when
            it is used for the first time.
        now : float
            Seconds of a monotonic clock.

        Returns
        -------
        bool
            True if every bucket had a token.
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
        # Concurrent requests may arrive here in a different order than they read the clock.
        elapsed = max(0.0, now - self._filled)
        self._filled += elapsed
        self.tokens = min(throttle.burst, self.tokens + elapsed * throttle.rate)


def setting_of_method(
    settings: Mapping[str, Mapping[str, Any]], path: str, method: str
) -> Mapping[str, Any] | None:
    """Return the settings of one method of an API, or None if it has none.

    Parameters
    ----------
    settings : mapping
        Settings by ``{resource path}/{method}``. AWS's operations differ in how they write these
        names: with or without a leading slash, and with ``/`` or ``~1`` in the path.
    path, method : str
        The resource's path, such as ``/pets/{id}``, and the method as the API defines it, such as
        ``GET`` or ``ANY``.
    """
    wanted = _normalized(f"{path}/{method}")
    for name, setting in list(settings.items()):  # another thread may be changing the plan
        if _normalized(name) == wanted:
            return setting
    return None


@lru_cache(maxsize=1024)
def _normalized(name: str) -> str:
    path, _, method = name.replace("~1", "/").rpartition("/")
    return f"{path.strip('/')}/{method}"
