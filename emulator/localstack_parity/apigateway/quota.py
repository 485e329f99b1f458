"""The quota of a usage plan, and the days it is counted over. It has no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Quota:
    """How many requests a key may make in a period.

    Parameters
    ----------
    limit : int
        Requests in a period.
    period : str
        ``DAY``, ``WEEK`` (from Sunday) or ``MONTH`` (of the calendar). All in UTC.
    offset : int
        Requests subtracted from the limit in the plan's first period.

    Notes
    -----
    https://docs.aws.amazon.com/apigateway/latest/api/API_QuotaSettings.html

    Where a week starts is not on that page; its earlier edition had weeks start on Sunday. The
    same edition had the offset count days, and AWS still refuses one over 6 (``WEEK``) or 27
    (``MONTH``). Here it means what the page says today.
    """

    limit: int
    period: str
    offset: int = 0

    @classmethod
    def of(cls, settings: Mapping[str, Any] | None) -> "Quota | None":
        """Read AWS's settings; None when they limit nothing."""
        if not settings or settings.get("limit") is None or not settings.get("period"):
            return None
        return cls(int(settings["limit"]), settings["period"], int(settings.get("offset") or 0))

    def start(self, day: date) -> date:
        """Return the first day of the period that a day lies in.

        Raises
        ------
        ValueError
            If the period is none of AWS's.
        """
        match self.period:
            case "DAY":
                return day
            case "WEEK":
                return day - timedelta(days=day.isoweekday() % 7)
            case "MONTH":
                return day.replace(day=1)
        raise ValueError(f"quota period {self.period!r}: use DAY, WEEK or MONTH")

    def allowance(self, day: date, first_day: date) -> int:
        """Return the requests of the period that a day lies in.

        Parameters
        ----------
        day : date
        first_day : date
            The plan's first day: the offset counts in that period only.
        """
        first = self.start(day) == self.start(first_day)
        return self.limit - self.offset if first else self.limit
