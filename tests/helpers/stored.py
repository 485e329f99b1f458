"""Reads pipelines back from the members of artifacts."""

from typing import Any

from sklearn_api.artifact.archive import Archive
from sklearn_api.artifact.construct import construct
from training.artifact.members import write_archive

LIMIT = 10_000_000


def read_back(members: dict[str, bytes]) -> Any:
    """Return the pipeline that the members of an artifact describe."""
    return construct(Archive(write_archive(members), LIMIT), LIMIT)
