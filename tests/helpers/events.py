"""The events that API Gateway sends, as files in tests/events."""

import json
from typing import Any

from scripts.lib.project import ROOT


def read_event(name: str, **headers: str) -> dict[str, Any]:
    """Return the event for an endpoint, with additional headers.

    Parameters
    ----------
    name : str
        The endpoint, such as ``review``.
    **headers : str
        They replace headers of the same name.
    """
    event: dict[str, Any] = json.loads((ROOT / "tests" / "events" / f"{name}.json").read_text())
    event["headers"].update(headers)
    return event
