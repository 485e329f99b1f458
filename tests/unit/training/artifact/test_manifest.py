"""Manifests, and those of earlier versions."""

import json
from typing import Any

import pytest

from sklearn_api.errors import ArtifactError
from sklearn_api.signature import BINARY, MULTICLASS, STRING, Label, Signature
from training.artifact.manifest import Manifest
from training.signature import text_signature

MANIFEST: dict[str, Any] = {
    "name": "review",
    "version": "1",
    "created": "2026-01-01T00:00:00+00:00",
    "sha256": "0" * 64,
    "size": 1,
    "format": 1,
    "python": "3.13",
    "libraries": {},
    "signature": text_signature([0, 1], words=["a", "b"]).to_dict(),
    "training": {},
    "metrics": {},
    "git_revision": None,
    "form": "sklearn",
    "not_compiled": "only models of texts are compiled",
}


def earlier(labels: Any, field: Any = "review_text") -> bytes:
    """Return a manifest as it was before there were signatures."""
    values = {**MANIFEST, "labels": labels, "input_field": field}
    del values["signature"]
    return json.dumps(values).encode()


def test_a_manifest_survives_its_json_form() -> None:
    """A manifest is read as it was written."""
    manifest = Manifest(**MANIFEST)
    assert Manifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize(("count", "task"), [(2, BINARY), (4, MULTICLASS)])
def test_an_earlier_manifest_has_a_signature(count: int, task: str) -> None:
    """Its labels were those of 0, 1, …, and its input was one text that could not be missing."""
    words = [f"Label {number}" for number in range(count)]
    found = Signature.from_dict(Manifest.from_json(earlier(words)).signature)
    assert (found.kind, found.task) == ("text", task)
    ((name, kind, nullable, *_),) = found.inputs
    assert (name, kind, nullable) == ("review_text", STRING, False)
    assert found.labels == tuple(Label(number, word) for number, word in enumerate(words))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (json.dumps({**MANIFEST, "extra": 1}).encode(), "extra"),
        (b"{}", "version"),
        (json.dumps({**MANIFEST, "signature": []}).encode(), "signature is not a JSON object"),
        (json.dumps({**MANIFEST, "signature": {"kind": "text"}}).encode(), "task"),
        (earlier("ab"), "labels are not"),
        (earlier(["a", 1]), "not a string"),
        (earlier(["a", "a"]), "occurs twice"),
    ],
)
def test_an_invalid_manifest_is_refused(content: bytes, message: str) -> None:
    """A manifest with missing or unknown fields is refused, naming them."""
    with pytest.raises(ArtifactError, match=message):
        Manifest.from_json(content)
