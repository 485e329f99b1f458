"""The manifest: facts about an artifact, stored next to it as JSON. Loading never needs it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from sklearn_api.errors import ArtifactError
from sklearn_api.signature import BINARY, MULTICLASS, STRING, TEXT, Input, Label, Signature


@dataclass(frozen=True)
class Manifest:
    """Facts about an artifact.

    Attributes
    ----------
    name, version : str
        The model, and this version of it (empty until it is published).
    created : str
        When it was trained, ISO 8601 in UTC.
    sha256, size : str, int
        SHA-256 and size in bytes of the artifact.
    format : int
        The artifact's format.
    python : str
        Version of Python that trained it, such as ``3.13``.
    libraries : mapping
        Versions of the libraries, by name.
    signature : mapping
        What goes in and what comes out, as `Signature.to_dict` returns it.
    training : mapping
        Source, revision, rows, columns, and a fingerprint of everything that the model depends on.
    metrics : mapping
        Metrics, measured on rows that the measured model had not seen.
    git_revision : str or None
        Revision of the code that trained it, None outside a git checkout.
    form : str
        ``compiled`` if plain Python can serve it, else ``sklearn``.
    not_compiled : str or None
        Why it has no compiled form, None if it has one.
    """

    name: str
    version: str
    created: str
    sha256: str
    size: int
    format: int
    python: str
    libraries: Mapping[str, str]
    signature: Mapping[str, Any]
    training: Mapping[str, Any]
    metrics: Mapping[str, Any]
    git_revision: str | None
    form: str = "sklearn"
    not_compiled: str | None = None

    def to_json(self) -> bytes:
        """Return the manifest as the content of a JSON file."""
        return (json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Manifest":
        """Return the manifest in a JSON file, which an earlier version may have written.

        Parameters
        ----------
        content : bytes
            The file.

        Raises
        ------
        ArtifactError
            It is not a valid manifest; the message says what is missing or unknown.
        """
        try:
            values = json.loads(content)
        except (ValueError, RecursionError) as exc:
            raise ArtifactError(f"the manifest is not JSON: {exc}") from exc
        if not isinstance(values, dict):
            raise ArtifactError("the manifest is not a JSON object")
        values = _with_signature(values)
        names = {one.name for one in fields(cls)}
        if names != values.keys():
            wrong = sorted(names ^ values.keys())
            raise ArtifactError(f"the manifest has missing or unknown fields: {', '.join(wrong)}")
        if not isinstance(values["signature"], dict):
            raise ArtifactError("the manifest's signature is not a JSON object")
        Signature.from_dict(values["signature"])  # raises for one that cannot be shown
        return cls(**values)


def _with_signature(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a manifest, with a signature in place of what earlier ones had.

    Before there were signatures, a model had one text as its input, and the labels 0, 1, ….
    """
    if "signature" in values or not {"labels", "input_field"} <= values.keys():
        return values
    kept = dict(values)
    words, field = kept.pop("labels"), kept.pop("input_field")
    if not isinstance(words, list):
        raise ArtifactError("the manifest's labels are not a JSON array")
    signature = Signature(
        TEXT,
        BINARY if len(words) == 2 else MULTICLASS,
        (Input(field, STRING, nullable=False, objects=True),),
        tuple(Label(number, word) for number, word in enumerate(words)),
    )
    return {**kept, "signature": signature.to_dict()}
