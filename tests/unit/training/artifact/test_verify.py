"""An artifact is loaded and asked as a Lambda would, before anybody stores it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from scripts.lib.project import ROOT
from sklearn_api.calibration import OneAgainstRest, Sigmoid, Temperature
from sklearn_api.errors import ArtifactError
from sklearn_api.signature import BOOLEAN, Signature
from tests.helpers.customers import churned, customers
from tests.helpers.tables import fitted, impute_scale_one_hot_logistic
from training.artifact import lambda_program
from training.artifact.dump import dump_pipeline
from training.artifact.lambda_process import layer_modules
from training.artifact.members import write_archive
from training.artifact.verify import (
    MEMORY_MB,
    verify,
    verify_stored,
    write_verified,
)
from training.artifact.write import write_artifact
from training.signature import infer_signature

TEXTS = ["good film", "bad film", "a nice film", "awful", "good and nice", "bad and awful"]
LABELS = ["yes", "no", "yes", "no", "yes", "no"]
USUAL = "impute_scale_one_hot_logistic"


@pytest.fixture(scope="module")
def texts() -> Pipeline:
    return make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)).fit(TEXTS, LABELS)


def stored(pipeline: Any, rows: Any, calibration: Any = None) -> tuple[bytes, Signature]:
    signature = infer_signature(pipeline, rows)
    return write_artifact(pipeline, signature, calibration, rows=rows).content, signature


def test_an_artifact_that_answers_comes_with_what_it_needs(texts: Pipeline) -> None:
    """How long it took to load, and how much memory, are facts about it."""
    signature = infer_signature(texts, TEXTS)
    artifact, found = write_verified(texts, signature, Sigmoid(2.0, 0.1), rows=TEXTS)
    assert artifact == write_artifact(texts, signature, Sigmoid(2.0, 0.1), rows=TEXTS)
    assert artifact.not_compiled is None
    assert found.rows == len(TEXTS)
    assert 0 < found.loading < found.seconds
    assert 5 < found.memory_mb < 60, "plain Python needs little"
    assert found.warnings == ()


@pytest.mark.parametrize("name", [USUAL, "two_outputs", "clusters", "gaps_that_are_none"])
def test_tables_answer_as_they_do_on_a_frame(name: str) -> None:
    """Gaps included; scikit-learn is loaded for them."""
    case = fitted(name)
    signature = infer_signature(case.pipeline, case.rows)
    artifact, found = write_verified(case.pipeline, signature, rows=case.rows)
    assert found.rows == len(case.rows)
    assert 60 < found.memory_mb < 400
    assert artifact.not_compiled


@pytest.mark.parametrize(
    "calibration", [None, Temperature(1.5), OneAgainstRest((Sigmoid(1.0, 0.1),) * 3)]
)
def test_calibrated_probabilities_are_compared(calibration: Any) -> None:
    """An artifact with other numbers than the pipeline was calibrated with is refused."""
    case = fitted("three_classes_as_words")
    content, signature = stored(case.pipeline, case.rows, calibration)
    verify(content, case.pipeline, signature, calibration, rows=case.rows[:5])
    with pytest.raises(ArtifactError, match="does not answer as the pipeline does: row 0 gives"):
        verify(content, case.pipeline, signature, Temperature(1.6), rows=case.rows[:5])


def test_what_was_fitted_on_an_array_is_compared_on_arrays() -> None:
    """A function of numpy's knows nothing of names."""
    rows, target = load_iris(return_X_y=True)
    pipeline = make_pipeline(FunctionTransformer(np.log1p), LogisticRegression(max_iter=500))
    pipeline.fit(rows, target)
    signature = infer_signature(pipeline, rows)
    _, found = write_verified(pipeline, signature, rows=rows)
    assert found.rows == len(rows)
    bunch = load_iris()
    assert write_verified(pipeline, infer_signature(pipeline, bunch), rows=bunch)[1].rows == 150


def test_an_array_of_booleans_leaves_nothing_to_change() -> None:
    """Neither gaps nor other values are possible, and the rows themselves are compared."""
    rows = load_iris().data > 2
    pipeline = BernoulliNB().fit(rows, load_iris().target)
    signature = infer_signature(pipeline, rows)
    assert {(one.type, one.nullable) for one in signature.inputs} == {(BOOLEAN, False)}
    assert write_verified(pipeline, signature, rows=rows)[1].rows == len(rows)


def test_an_answer_that_differs_is_refused(texts: Pipeline) -> None:
    """The message has both answers."""
    content, signature = stored(texts, TEXTS)
    other = make_pipeline(TfidfVectorizer(), LinearSVC(C=0.5)).fit(TEXTS, LABELS)
    with pytest.raises(ArtifactError, match=r"row 0 gives Prediction\(value='yes'.* is right"):
        verify(content, other, signature, rows=TEXTS)


def test_columns_of_another_signature_are_refused() -> None:
    """A signature belongs to the rows that it was inferred from."""
    case = fitted("clusters")
    signature = infer_signature(case.pipeline, case.rows)
    other = signature._replace(inputs=signature.inputs[::-1])
    with pytest.raises(ArtifactError, match=r"has the inputs \['plan', 'charges', 'tenure'\]"):
        write_verified(case.pipeline, other, rows=case.rows)
    with pytest.raises(ArtifactError, match="of the kind table, and the rows are of the kind text"):
        write_verified(case.pipeline, signature, rows=TEXTS)


def test_an_artifact_that_is_too_large_is_refused(texts: Pipeline) -> None:
    """With both sizes, and what makes it smaller."""
    content, signature = stored(texts, TEXTS)
    with pytest.raises(ArtifactError, match=r"has [\d,]+ bytes, .* at most 2,000.*min_df"):
        verify(content, texts, signature, rows=TEXTS, max_bytes=2000)


def test_zeros_shrink_but_not_in_a_lambda() -> None:
    """An artifact of a few kilobytes can unpack to more than the limit."""
    rows = np.zeros((2, 500_000))
    rows[1] = 1.0
    pipeline = KNeighborsClassifier(1).fit(rows, [0, 1])
    content = write_archive(dump_pipeline(pipeline))
    assert len(content) < 100_000
    few = KNeighborsClassifier(1).fit(rows[:, :9], [0, 1])
    signature = infer_signature(few, rows[:, :9])  # which has nothing to do with the size
    with pytest.raises(ArtifactError, match=r"unpacks to 8,0\d\d,\d{3} bytes.* at most 5,000,000"):
        verify(content, pipeline, signature, rows=rows[:, :9], max_bytes=5_000_000)


def test_more_memory_than_a_lambda_has_is_refused() -> None:
    """The figure is that of the process which loaded it, not of the one which trains."""
    ballast = bytearray(300 * 2**20)
    ballast[:: 2**12] = b"x" * len(ballast[:: 2**12])  # touches every page
    case = fitted(USUAL)
    content, signature = stored(case.pipeline, case.rows)
    found = verify(content, case.pipeline, signature, rows=case.rows)
    assert found.memory_mb < 250
    with pytest.raises(ArtifactError, match=r"takes \d+ MB of memory, and a Lambda has 64 MB"):
        verify(content, case.pipeline, signature, rows=case.rows, memory_mb=64)
    assert ballast


def test_no_endpoint_has_less_memory_than_its_artifact_may_take() -> None:
    """What fits when it is stored fits into every Lambda that could serve it."""
    files = list((ROOT / "handlers").glob("*/function.yml"))
    assert files
    for file in files:
        (memory,) = re.findall(r"^memorySize: (\d+)", file.read_text(), re.MULTILINE)
        assert int(memory) >= MEMORY_MB, file


def test_rows_that_no_client_can_send_are_left_out(texts: Pipeline) -> None:
    """Empty texts and infinite numbers are refused at the door of an endpoint."""
    signature = infer_signature(texts, TEXTS)
    _, found = write_verified(texts, signature, rows=["", " ", "\ud800", *TEXTS])
    assert found.rows == len(TEXTS)
    with pytest.raises(ArtifactError, match="a client could send none of the rows"):
        write_verified(texts, signature, rows=["", "\n"])


def test_of_many_rows_some_are_compared_with_those_that_have_gaps() -> None:
    """A gap among thousands of rows is what can make a difference."""
    frame = pd.concat([customers()] * 20, ignore_index=True)
    frame["charges"] = frame["charges"].fillna(1.0)
    frame.loc[1234, "charges"] = np.nan
    target = np.tile(churned(), 20)
    pipeline = impute_scale_one_hot_logistic().fit(frame, target)
    signature = infer_signature(pipeline, frame)
    _, found = write_verified(pipeline, signature, rows=frame)
    assert 1000 <= found.rows <= 1020


def test_a_pipeline_that_fails_on_the_rows_is_not_an_artifact_that_fails(texts: Pipeline) -> None:
    """The message is about the rows, and about both of them."""
    content, signature = stored(texts, TEXTS)

    class Failing(Pipeline):  # type: ignore[misc]  # scikit-learn has no types
        def predict(self, rows: Any) -> Any:
            raise ValueError("no such film")

    with pytest.raises(ArtifactError, match=r"predict fails on the rows given: .*no such film"):
        verify(content, Failing(texts.steps), signature, rows=TEXTS)


def test_own_code_has_to_be_importable_where_nothing_else_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that imports pandas works while training, and in no Lambda."""
    (tmp_path / "shop_steps.py").write_text("def same(rows):\n    return rows\n")
    (tmp_path / "shop_frames.py").write_text("import pandas\n\ndef same(rows):\n    return rows\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import shop_frames  # type: ignore[import-not-found]  # written above
    import shop_steps  # type: ignore[import-not-found]  # as above

    def write(function: Any, name: str) -> Any:
        pipeline = make_pipeline(
            FunctionTransformer(function), TfidfVectorizer(), LogisticRegression()
        ).fit(TEXTS, LABELS)
        signature = infer_signature(pipeline, TEXTS)
        return write_verified(pipeline, signature, rows=TEXTS, own_code=[name])

    assert write(shop_steps.same, "shop_steps.same")[1].rows == len(TEXTS)
    with pytest.raises(ArtifactError, match=r"a Lambda cannot answer .*'pandas'"):
        write(shop_frames.same, "shop_frames.same")


@pytest.mark.parametrize("module", ["pandas", "matplotlib", "skops", "training", "pytest"])
def test_a_lambda_has_only_what_the_layer_has(module: str) -> None:
    """Everything else is missing, as it would be there, and not merely forbidden."""
    assert {"numpy", "scipy", "sklearn", "joblib"} <= layer_modules()
    code = (
        "import importlib.util, json, sys\n"
        "spec = importlib.util.spec_from_file_location('program', sys.argv[1])\n"
        "program = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(program)\n"
        "modules = frozenset(json.loads(sys.argv[2])) | sys.stdlib_module_names\n"
        "sys.meta_path[:] = [program._LayerFinder(list(sys.meta_path), modules)]\n"
        "import sklearn_api.load, sklearn.pipeline\n"
        "print(importlib.util.find_spec(sys.argv[3]))\n"
        "__import__(sys.argv[3])\n"
    )
    modules = json.dumps(["sklearn_api", *layer_modules()])
    result = subprocess.run(
        [sys.executable, "-P", "-c", code, lambda_program.__file__, modules, module],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "None\n"
    assert f"ModuleNotFoundError: No module named '{module}'" in result.stderr


@pytest.mark.parametrize("kind", ["text", "table"])
def test_a_stored_artifact_answers_without_its_pipeline(kind: str, texts: Pipeline) -> None:
    """Only the examples of the signature are asked, since there are no other rows."""
    if kind == "text":
        content, _ = stored(texts, TEXTS)
    else:
        frame = customers()[["tenure", "charges"]].fillna(0)
        content, _ = stored(LogisticRegression().fit(frame, churned()), frame)
    found = verify_stored(content)
    assert found.rows == 1
    assert found.loading > 0


def test_a_stored_artifact_that_does_not_answer_is_refused(texts: Pipeline) -> None:
    """Neither another file, nor one that unpacks to too much, nor one without its vectorizer."""
    content, signature = stored(texts, TEXTS)
    for wrong, message in (
        (b"not a zip", "zip"),
        (content[:-100], "damaged|zip"),
        (stored_as(texts[-1], signature), "cannot answer"),
    ):
        with pytest.raises(ArtifactError, match=message):
            verify_stored(wrong)
    with pytest.raises(ArtifactError, match="MAX_ARTIFACT_BYTES"):
        verify_stored(content, max_bytes=1000)
    with pytest.raises(ArtifactError, match=r"takes .* MB of memory, and a Lambda has 1 MB"):
        verify_stored(content, memory_mb=1)


def stored_as(pipeline: Any, signature: Signature) -> bytes:
    """Store a pipeline with the signature of another one."""
    return write_artifact(pipeline, signature).content
