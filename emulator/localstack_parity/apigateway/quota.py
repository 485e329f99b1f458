"""The quota of a usage plan, and the periods it covers. There is no clock: days are arguments."""

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
        Requests per period.
    period : str
        ``DAY``, ``WEEK`` (starting on Sunday) or ``MONTH`` (of the calendar), all in UTC.
    offset : int
        Requests subtracted from the limit in the plan's first period.

    Notes
    -----
    https://docs.aws.amazon.com/apigateway/latest/api/API_QuotaSettings.html

    That page does not say on which day a week starts; its previous edition said Sunday. In that
    edition the offset was a number of days, and AWS still refuses offsets over 6 (``WEEK``) or 27
    (``MONTH``). Here the offset is what the page says today: a number of requests.
    """

    limit: int
    period: str
    offset: int = 0

    @classmethod
    def of(cls, settings: Mapping[str, Any] | None) -> "Quota | None":
        """Return the quota of AWS's settings, or None if they set no limit."""
        if not settings or settings.get("limit") is None or not settings.get("period"):
            return None
        return cls(int(settings["limit"]), settings["period"], int(settings.get("offset") or 0))

    def start(self, day: date) -> date:
        """Return the first day of the period that contains a day.

        Raises
        ------
        ValueError
            If the period is not one of AWS's.
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
        """Return the number of requests allowed in the period that contains a day.

        Parameters
        ----------
        day : date
            Any day of the period.
        first_day : date
            The plan's first day: the offset applies to that day's period only.
        """
        first = self.start(day) == self.start(first_day)
        return self.limit - self.offset if first else self.limit
