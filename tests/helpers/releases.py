"""Models for tests of the registry: small, and each with a time and a content of its own."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sklearn_api.store import ModelStore
from tests.helpers.fakes import FakeS3
from training.artifact.manifest import Manifest
from training.registry import Registry, Release


def release(number: int, **report: bytes) -> Release:
    """Return the model that was trained in second `number`."""
    content = f"artifact {number}".encode()
    manifest = Manifest(
        name="review",
        version="",
        created=f"2026-01-02T03:04:{number:02}+00:00",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        format=2,
        python="3.13",
        libraries={"scikit-learn": "1.9.1"},
        labels=["negative", "positive"],
        input_field="review_text",
        training={"source": "sample", "rows": 454},
        metrics={"accuracy": 0.875, "confusion": [[1, 2], [3, 4]]},
        git_revision=None,
    )
    return Release(manifest, content, {f"{name}.html": text for name, text in report.items()})


def named(number: int, **report: bytes) -> Release:
    """Return the same, with a version's name."""
    found = release(number, **report)
    return replace(found, manifest=replace(found.manifest, version=f"v{number}"))


def registry(s3: FakeS3, bucket: str = "bucket") -> Registry:
    """Return the registry of a fake bucket."""
    return Registry(s3, bucket, "review")  # type: ignore[arg-type]  # a fake


def store(s3: FakeS3) -> ModelStore:
    """Return what a Lambda sees of a fake bucket."""
    return ModelStore(s3, "bucket", "review")  # type: ignore[arg-type]  # a fake


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[int], Any]]:
    """Count what is worked on, and expect all of it."""
    done: list[int] = []
    yield done.append
    assert sum(done) in (0, total), title
