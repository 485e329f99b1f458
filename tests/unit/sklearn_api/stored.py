"""Pipelines as they come back from where they are stored."""

from typing import Any

from sklearn_api.archive import Archive, write_archive
from sklearn_api.rebuild import put_together

LIMIT = 10_000_000


def read_back(members: dict[str, bytes]) -> Any:
    """Return the pipeline that members of an artifact make up."""
    return put_together(Archive(write_archive(members), LIMIT), LIMIT)
