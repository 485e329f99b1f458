"""Artifacts: written, read back, and refused in words when anything about them is wrong."""

import hashlib
import io
import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from sklearn_api.artifact import Manifest, python_version, read_artifact, write_artifact
from sklearn_api.errors import ArtifactError

ROOT = Path(__file__).parents[3]
TEXTS = ["good film", "bad film", "a nice film", "awful", "good and nice", "bad and awful"]
LABELS = [1, 0, 1, 0, 1, 0]
LIMIT = 10_000_000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read(content: bytes) -> Any:
    return read_artifact(content, sha256(content), LIMIT)


def fitted(*steps: Any) -> Pipeline:
    return make_pipeline(*steps).fit(TEXTS, LABELS)


@pytest.fixture(scope="module")
def artifact() -> bytes:
    return write_artifact(fitted(TfidfVectorizer(), LinearSVC(random_state=0)))


def changed(artifact: bytes, **members: bytes) -> bytes:
    """Return an artifact with some members replaced or added."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(artifact)) as source, zipfile.ZipFile(buffer, "w") as target:
        contents = {name: source.read(name) for name in source.namelist()} | members
        for name, content in contents.items():
            target.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "steps",
    [
        (TfidfVectorizer(), LinearSVC(random_state=0)),
        (TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression()),
        (CountVectorizer(), MultinomialNB()),
    ],
)
def test_a_pipeline_comes_back_as_it_was(steps: tuple[Any, ...]) -> None:
    """Predictions of the pipeline that is read are those of the one written, to the last bit."""
    before = fitted(*steps)
    after = read(write_artifact(before))
    method = "decision_function" if hasattr(before, "decision_function") else "predict_proba"
    assert np.array_equal(getattr(before, method)(TEXTS), getattr(after, method)(TEXTS))


def test_the_same_pipeline_gives_the_same_bytes() -> None:
    """Neither the time nor memory addresses are part of an artifact."""
    pipeline = fitted(TfidfVectorizer(), LinearSVC(random_state=0))
    assert write_artifact(pipeline) == write_artifact(pipeline)


@pytest.mark.parametrize(
    ("name", "value"), [("format", 99), ("python", "3.9"), ("scikit-learn", "0.1")]
)
def test_a_mismatch_names_both_sides(artifact: bytes, name: str, value: object) -> None:
    """What was made for another format, Python or scikit-learn is refused, naming the two."""
    with zipfile.ZipFile(io.BytesIO(artifact)) as source:
        header = json.loads(source.read("artifact.json"))
    content = changed(artifact, **{"artifact.json": json.dumps({**header, name: value}).encode()})
    with pytest.raises(ArtifactError, match=f"{name} {value}, this Lambda runs {name} ") as caught:
        read(content)
    assert str(header[name]) in str(caught.value)


def test_another_sha256_is_refused(artifact: bytes) -> None:
    """An artifact that is not the published one is not even opened."""
    with pytest.raises(ArtifactError, match="sha256"):
        read_artifact(artifact, "0" * 64, LIMIT)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(artifact: bytes) -> None:
    """What unpacks to more than the limit is refused by its directory, outside and inside."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("schema.json", b"0" * (LIMIT + 1))
    for content in (
        changed(artifact, **{"model.skops": b"0" * (LIMIT + 1)}),
        changed(artifact, **{"model.skops": inner.getvalue()}),
    ):
        with pytest.raises(ArtifactError, match="unpacks to"):
            read(content)


@pytest.mark.parametrize("name", ["../evil.py", "/etc/passwd", "extra"])
def test_other_members_are_refused(artifact: bytes, name: str) -> None:
    """An artifact holds its two members and nothing else; nothing is ever written to a path."""
    with pytest.raises(ArtifactError, match="members"):
        read(changed(artifact, **{name: b"x"}))


def test_a_pickle_is_never_loaded(artifact: bytes) -> None:
    """A pickle in the model's place is refused, and what it would run does not run."""
    bomb = pickle.dumps(print)
    with pytest.raises(ArtifactError):
        read(changed(artifact, **{"model.skops": bomb}))
    with pytest.raises(ArtifactError):
        read(bomb)


def shout(texts: list[str]) -> list[str]:
    return [text.upper() for text in texts]


def test_a_type_that_is_not_trusted_is_refused_when_written() -> None:
    """A pipeline with a function of one's own is refused before it is stored, naming it."""
    pipeline = fitted(FunctionTransformer(shout), TfidfVectorizer(), LinearSVC())
    with pytest.raises(ArtifactError, match="shout"):
        write_artifact(pipeline)


def test_a_type_that_is_not_trusted_is_refused_when_read(artifact: bytes) -> None:
    """An artifact that names a type of its own choice is refused, naming it."""
    with zipfile.ZipFile(io.BytesIO(artifact)) as source:
        inner = source.read("model.skops")
    with zipfile.ZipFile(io.BytesIO(inner)) as source:
        schema = source.read("schema.json")
    evil = schema.replace(b'"Pipeline"', b'"Popen"').replace(b'"sklearn.pipeline"', b'"subprocess"')
    assert evil != schema
    with pytest.raises(ArtifactError, match=r"subprocess\.Popen"):
        read(changed(artifact, **{"model.skops": changed(inner, **{"schema.json": evil})}))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_artifact_is_refused_or_still_whole(data: st.DataObject, artifact: bytes) -> None:
    """Flipped bits and cut ends give an `ArtifactError` or a model, and never anything else."""
    content = bytearray(artifact)
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    for _ in range(data.draw(st.integers(1, 4))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(
                st.integers(0, 7)
            )
    try:
        read(bytes(content))
    except ArtifactError as exc:
        assert str(exc)


def test_every_bit_of_the_directories_is_damaged_in_words(artifact: bytes) -> None:
    """Each single bit of an archive's directory, outside and inside, may flip: never a crash.

    These bits say how a member is packed, whether it is encrypted, and where it is.
    """
    with zipfile.ZipFile(io.BytesIO(artifact)) as source:
        inner = source.read("model.skops")
    refused = 0
    for archive, wrap in (
        (artifact, bytes),
        (inner, lambda content: changed(artifact, **{"model.skops": content})),
    ):
        for position in range(archive.index(b"PK\x01\x02"), len(archive)):
            for bit in range(8):
                content = bytearray(archive)
                content[position] ^= 1 << bit
                try:
                    read(wrap(bytes(content)))
                except ArtifactError:
                    refused += 1
    assert refused > 500


def test_a_header_that_is_nested_too_deep_is_refused(artifact: bytes) -> None:
    """JSON that Python cannot read without overflowing its stack is refused like any other."""
    with pytest.raises(ArtifactError, match="not JSON"):
        read(changed(artifact, **{"artifact.json": b"[" * 100_000}))


def test_another_process_writes_the_same_bytes() -> None:
    """Training the same pipelines in two processes gives the same artifacts."""
    code = (
        "import hashlib\n"
        "from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.naive_bayes import MultinomialNB\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.svm import LinearSVC\n"
        "from sklearn_api.artifact import write_artifact\n"
        "for steps in (\n"
        "    (TfidfVectorizer(), LinearSVC(random_state=0)),\n"
        "    (TfidfVectorizer(stop_words='english'), LogisticRegression()),\n"
        "    (CountVectorizer(ngram_range=(1, 2)), MultinomialNB()),\n"
        "):\n"
        f"    pipeline = make_pipeline(*steps).fit({TEXTS!r}, {LABELS!r})\n"
        "    print(hashlib.sha256(write_artifact(pipeline)).hexdigest())\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONPATH": ".", "PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert len(set(found.pop().split())) == 3


MANIFEST: dict[str, Any] = {
    "name": "review",
    "version": "1",
    "created": "2026-01-01T00:00:00+00:00",
    "sha256": "0" * 64,
    "size": 1,
    "format": 1,
    "python": python_version(),
    "libraries": {},
    "labels": ["a", "b"],
    "input_field": "review_text",
    "training": {},
    "metrics": {},
    "git_revision": None,
}


def test_a_manifest_is_read_as_it_was_written() -> None:
    """A manifest survives its JSON form."""
    manifest = Manifest(**MANIFEST)
    assert Manifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (json.dumps({**MANIFEST, "extra": 1}).encode(), "extra"),
        (b"{}", "version"),
    ],
)
def test_what_is_no_manifest_is_refused(content: bytes, message: str) -> None:
    """A manifest with missing or unknown fields is refused, naming them."""
    with pytest.raises(ArtifactError, match=message):
        Manifest.from_json(content)
