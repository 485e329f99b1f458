"""Small models for tests of the registry, each with its own time and content."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sklearn_api.store import ModelStore
from tests.helpers.fakes import FakeS3
from training.artifact.manifest import Manifest
from training.registry import Registry, Release
from training.signature import text_signature

SIGNATURE = text_signature([0, 1], field="review_text", words=["negative", "positive"])


def release(number: int, **report: bytes) -> Release:
    """Return a model that was trained at second `number` and has no version yet."""
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
        signature=SIGNATURE.to_dict(),
        training={"source": "sample", "rows": 454},
        metrics={"accuracy": 0.875, "confusion": [[1, 2], [3, 4]]},
        git_revision=None,
    )
    return Release(manifest, content, {f"{name}.html": text for name, text in report.items()})


def named(number: int, **report: bytes) -> Release:
    """Return the same model with a version, ``v<number>``."""
    found = release(number, **report)
    return replace(found, manifest=replace(found.manifest, version=f"v{number}"))


def registry(s3: FakeS3, bucket: str = "bucket") -> Registry:
    """Return a registry over a fake bucket."""
    return Registry(s3, bucket, "review")  # type: ignore[arg-type]  # FakeS3 has only the methods that are called


def store(s3: FakeS3) -> ModelStore:
    """Return the store that a Lambda has over a fake bucket."""
    return ModelStore(s3, "bucket", "review")  # type: ignore[arg-type]  # FakeS3 has only the methods that are called


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[int], Any]]:
    """Stand in for a progress bar, and check that it ends with all of the work or none."""
    done: list[int] = []
    yield done.append
    assert sum(done) in (0, total), title
