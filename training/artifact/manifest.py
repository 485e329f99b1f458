"""What is known about an artifact, stored as JSON beside it.

Loading a model never needs it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sklearn_api.errors import ArtifactError


@dataclass(frozen=True)
class Manifest:
    """What is known about an artifact; stored as JSON beside it.

    Attributes
    ----------
    name, version : str
        The model, and this version of it (empty until it is published).
    created : str
        When it was trained, ISO 8601 in UTC.
    sha256, size : str, int
        Of the artifact, `size` in bytes.
    format : int
        The artifact's format.
    python : str
        Python that trained it, such as ``3.13``.
    libraries : mapping
        Versions by name.
    labels : sequence of str
        What the labels 0, 1, … mean.
    input_field : str
        The field of a request that holds the input.
    training : mapping
        Source, revision, rows, columns, and the fingerprint of all that the model depends on.
    metrics : mapping
        Measured on rows that the measured model had not seen.
    git_revision : str or None
        Of the code that trained it, None outside a git checkout.
    form : str
        ``compiled`` where plain Python serves it, else ``sklearn``.
    not_compiled : str or None
        Why it has no compiled form, None where it has one.
    """

    name: str
    version: str
    created: str
    sha256: str
    size: int
    format: int
    python: str
    libraries: Mapping[str, str]
    labels: Sequence[str]
    input_field: str
    training: Mapping[str, Any]
    metrics: Mapping[str, Any]
    git_revision: str | None
    form: str = "sklearn"
    not_compiled: str | None = None

    def to_json(self) -> bytes:
        """Return it as a JSON file."""
        return (json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Manifest":
        """Read a JSON file.

        Raises
        ------
        ArtifactError
            It is no manifest; the message says what is missing or unknown.
        """
        try:
            values = json.loads(content)
        except (ValueError, RecursionError) as exc:
            raise ArtifactError(f"the manifest is not JSON: {exc}") from exc
        if not isinstance(values, dict):
            raise ArtifactError("the manifest is not a JSON object")
        names = {one.name for one in fields(cls)}
        if names != values.keys():
            wrong = sorted(names ^ values.keys())
            raise ArtifactError(f"the manifest has missing or unknown fields: {', '.join(wrong)}")
        return cls(**values)
