"""Artifacts that are written and read back, and errors for those that are invalid."""

import io
import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from scripts.lib.project import ROOT
from sklearn_api.artifact.header import FORMAT
from sklearn_api.calibration import Sigmoid
from sklearn_api.errors import ArtifactError
from sklearn_api.load import load_sklearn_model
from sklearn_api.sklearn_model import SklearnModel
from tests.helpers.stored import stored

TEXTS = ["good film", "bad film", "a nice film", "awful", "good and nice", "bad and awful"]
LABELS = [1, 0, 1, 0, 1, 0]
LIMIT = 10_000_000


def read(content: bytes) -> SklearnModel:
    return load_sklearn_model(content, LIMIT)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)).fit(TEXTS, LABELS)


@pytest.fixture(scope="module")
def artifact(pipeline: Pipeline) -> bytes:
    return stored(pipeline).content


def unzipped(artifact: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(artifact)) as source:
        return {name: source.read(name) for name in source.namelist()}


def changed(artifact: bytes, **members: bytes) -> bytes:
    """Return an artifact with some members replaced or added."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in {**unzipped(artifact), **members}.items():
            target.writestr(name, content)
    return buffer.getvalue()


def with_header(artifact: bytes, **values: object) -> bytes:
    header = {**json.loads(unzipped(artifact)["artifact.json"]), **values}
    return changed(artifact, **{"artifact.json": json.dumps(header).encode()})


def test_a_model_survives_to_the_last_bit(pipeline: Pipeline, artifact: bytes) -> None:
    """The pipeline, and the calibration if there is one, equal those that were written."""
    model = read(artifact)
    assert model.calibration is None
    assert np.array_equal(
        model.pipeline.decision_function(TEXTS), pipeline.decision_function(TEXTS)
    )
    calibration = Sigmoid(1.7, -1e-300)
    assert read(stored(pipeline, calibration).content).calibration == calibration


def test_the_members_are_plain_files(artifact: bytes) -> None:
    """Vocabularies are text, arrays are npy files, and everything else is JSON."""
    members = unzipped(artifact)
    assert members["vocabulary-0.txt"].decode().split("\n") == sorted(
        ["and", "awful", "bad", "film", "good", "nice"]
    )
    for name, content in members.items():
        if name.endswith(".npy"):
            assert np.load(io.BytesIO(content), allow_pickle=False).size
        elif name.endswith(".json"):
            assert json.loads(content)


def test_equal_pipelines_give_equal_bytes(pipeline: Pipeline, artifact: bytes) -> None:
    """An artifact contains neither the time nor memory addresses, not even after a round trip."""
    assert stored(pipeline).content == artifact
    assert stored(read(artifact).pipeline).content == artifact


def test_another_process_writes_the_same_bytes() -> None:
    """Training the same pipelines in two processes gives equal artifacts."""
    code = (
        "import hashlib\n"
        "import numpy as np\n"
        "from sklearn.ensemble import RandomForestClassifier\n"
        "from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.naive_bayes import MultinomialNB\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.svm import LinearSVC\n"
        "from tests.helpers.stored import stored\n"
        "for steps in (\n"
        "    (TfidfVectorizer(), LinearSVC(random_state=0)),\n"
        "    (TfidfVectorizer(stop_words='english'), LogisticRegression()),\n"
        "    (CountVectorizer(ngram_range=(1, 2)), MultinomialNB()),\n"
        "    (TfidfVectorizer(), RandomForestClassifier(5, random_state=0)),\n"
        "):\n"
        f"    pipeline = make_pipeline(*steps).fit({TEXTS!r}, {LABELS!r})\n"
        "    print(hashlib.sha256(stored(pipeline).content).hexdigest())\n"
        # Memory that is used again has other content in each process.
        "    waste = [np.full(n, len(steps[0].vocabulary_) * 7.0) for n in range(1, 500)]\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONPATH": ".", "PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    found = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0]
    assert len(found) == 1
    assert len(set(found.pop().split())) == 4


def test_reading_does_not_import_skops(artifact: bytes, tmp_path: Path) -> None:
    """A cold start does not pay for skops, which imports all of scikit-learn."""
    (tmp_path / "model.zip").write_bytes(artifact)
    code = (
        "import hashlib, sys\n"
        "from sklearn_api.load import load_sklearn_model\n"
        "assert not {'numpy', 'scipy', 'sklearn', 'skops'} & set(sys.modules)\n"
        "content = open(sys.argv[1], 'rb').read()\n"
        "model = load_sklearn_model(content, 10**7)\n"
        "print(model.pipeline.predict(['good film']), 'skops' in sys.modules)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model.zip")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "[1] False\n"


@pytest.mark.parametrize(
    ("name", "value"), [("format", 99), ("format", 1), ("python", "3.9"), ("scikit-learn", "0.1")]
)
def test_a_version_mismatch_names_both_versions(artifact: bytes, name: str, value: object) -> None:
    """An artifact for another format, Python or scikit-learn is refused with both versions."""
    expected = json.loads(unzipped(artifact)["artifact.json"])[name]
    message = f"{name} {value}, this Lambda runs {name} {expected}; train and publish again"
    with pytest.raises(ArtifactError, match=message):
        read(with_header(artifact, **{name: value}))


def test_an_artifact_of_the_first_format_is_refused_by_its_number(artifact: bytes) -> None:
    """An artifact of an earlier format is refused with its number, whatever its members are."""
    header = {**json.loads(unzipped(artifact)["artifact.json"]), "format": 1}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("artifact.json", json.dumps(header))
        target.writestr("model.skops", b"PK")
    with pytest.raises(ArtifactError, match=f"format 1, this Lambda runs format {FORMAT}; train"):
        read(buffer.getvalue())


def test_a_zip_bomb_is_refused_before_it_is_unpacked(artifact: bytes) -> None:
    """An artifact that unpacks to more than the limit is refused by its central directory."""
    with pytest.raises(ArtifactError, match="unpacks to"):
        read(changed(artifact, **{"array-0.npy": bytes(LIMIT)}))


def test_a_vocabulary_of_line_feeds_is_refused_before_it_is_split(artifact: bytes) -> None:
    """Terms take far more memory than their characters, and the limit is for that memory."""
    with pytest.raises(ArtifactError, match=r"1,000,001 terms is too large; raise MAX_ARTIFACT"):
        read(changed(artifact, **{"vocabulary-0.txt": b"\n" * 1_000_000}))


@pytest.mark.parametrize("name", ["../evil.py", "/etc/passwd", "extra", "array-0.npy/../x"])
def test_unknown_members_are_refused(artifact: bytes, name: str) -> None:
    """An artifact contains only the members of a model; nothing is ever written to a path."""
    with pytest.raises(ArtifactError, match="members"):
        read(changed(artifact, **{name: b"x"}))


@pytest.mark.parametrize("name", ["artifact.json", "pipeline.json", "array-0.npy"])
def test_a_pickle_is_never_loaded(artifact: bytes, name: str) -> None:
    """A pickle in place of a member, or of the whole artifact, is refused."""
    bomb = pickle.dumps(print)
    with pytest.raises(ArtifactError, match=name):
        read(changed(artifact, **{name: bomb}))
    with pytest.raises(ArtifactError, match="does not end like a zip file"):
        read(bomb)


@pytest.mark.parametrize(
    "calibration",
    [
        {"method": "isotonic", "slope": 1.0, "intercept": 0.0},
        {"method": "sigmoid", "slope": 1.0},
        {"method": "sigmoid", "slope": "1", "intercept": 0.0},
        {"method": "sigmoid", "slope": 10**400, "intercept": 0.0},
        {"method": "sigmoid", "slope": float("nan"), "intercept": 0.0},
        {"method": "sigmoid", "slope": 1.0, "intercept": float("inf")},
        [1.0, 0.0],
    ],
)
def test_a_calibration_has_two_finite_numbers(artifact: bytes, calibration: object) -> None:
    """With anything else, answers would be nonsense, or not valid JSON."""
    with pytest.raises(ArtifactError, match="calibration"):
        read(with_header(artifact, calibration=calibration))


def test_an_invalid_calibration_is_not_written(pipeline: Pipeline) -> None:
    """What reading would refuse cannot be written and published."""
    with pytest.raises(ArtifactError, match="not a finite"):
        stored(pipeline, Sigmoid(float("nan"), 0.0))


@pytest.mark.parametrize("content", [b"[" * 60_000, b"{", b"\xff", b"[]", b'"text"'])
def test_an_invalid_header_is_refused(artifact: bytes, content: bytes) -> None:
    """A header that is not a JSON object, or is nested too deeply for Python, is refused."""
    with pytest.raises(ArtifactError, match=r"artifact\.json is not"):
        read(changed(artifact, **{"artifact.json": content}))
