"""Fit a pipeline, measure it on reviews that it has not seen, and write the artifact.

The model that is measured is fitted on a part of the reviews. The one that is stored is fitted on
all of them, since more data does not make it worse; its metrics are those of the first, and so a
little modest. With a test file of its own, all reviews are used for both.
"""

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline

from sklearn_api import artifact
from sklearn_api.artifact import Manifest, read_artifact, write_artifact
from sklearn_api.errors import ArtifactError
from sklearn_api.utils import LABELS
from training import data, pipelines
from training.console import Report
from training.data import Reviews
from training.errors import TrainingError

NAME = "review"
INPUT_FIELD = "review_text"
_LIBRARIES = ("scikit-learn", "numpy", "scipy", "skops")
_MAX_BYTES = 2**31


@dataclass(frozen=True)
class Options:
    """What is trained on what.

    Attributes
    ----------
    source : str or None
        File, or hub id (its train split); the sample reviews when None.
    output : Path
        Folder for `model.zip` and `manifest.json`.
    test_source : str or None
        File, or hub id (its test split), to measure with instead of a part of `source`.
    test_size : float
        Share of the reviews that is held out for measuring, between 0 and 1.
    seed : int
        Of the split and of the solver.
    text_column, label_column, revision : str or None
        See `training.data.read`.
    """

    source: str | None
    output: Path
    test_source: str | None = None
    test_size: float = 0.2
    seed: int = 0
    text_column: str | None = None
    label_column: str | None = None
    revision: str | None = None

    @property
    def test_revision(self) -> str | None:
        """`revision`, where the reviews to measure with are of the same data set."""
        return self.revision if self.test_source == self.source else None

    def fingerprint(self) -> str:
        """Return a digest of everything that the trained model depends on."""
        content = {
            "data": data.fingerprint(self.source, self.revision),
            "test": self.test_source and data.fingerprint(self.test_source, self.test_revision),
            "columns": [self.text_column, self.label_column],
            "test_size": self.test_size,
            "seed": self.seed,
            "pipeline": repr(pipelines.article(self.seed)),
            "libraries": _libraries(),
            "python": artifact.python_version(),
            "format": artifact.FORMAT,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def train(options: Options, report: Report) -> Manifest:
    """Train, measure and store a model.

    Raises
    ------
    TrainingError
        The data do not fit, or the artifact cannot be written.
    """
    with report.step("Reading reviews") as done:
        reviews = _read(options, options.source, options.revision, "train")
        done(f"{len(reviews.texts):,} from {reviews.source}, {sum(reviews.labels):,} positive")
        test = None
        if options.test_source:
            test = _read(options, options.test_source, options.test_revision, "test")
    if test is None:
        fitted_on, test = _split(reviews, options)
        with report.step(f"Fitting on {len(fitted_on.texts):,}, to measure"):
            measured = _fit(fitted_on, options.seed)
    else:
        measured = None
    with report.step(f"Fitting on all {len(reviews.texts):,}") as done:
        pipeline = _fit(reviews, options.seed)
        done(f"{len(pipeline[0].vocabulary_):,} terms")
    with report.step(f"Measuring on {len(test.texts):,} that it has not seen") as done:
        metrics = _measure(measured or pipeline, test)
        done(f"accuracy {metrics['accuracy']:.4f}")
    with report.step("Writing the model") as done:
        manifest = _write(pipeline, reviews, test.texts, metrics, options)
        done(f"{manifest.size / 1e3:,.0f} kB, read back and compared")
    report.metrics(metrics)
    return manifest


def load(folder: Path) -> tuple[Manifest, bytes]:
    """Return a trained model's manifest and artifact, checked against each other.

    Raises
    ------
    TrainingError
        There is none in that folder, or it is damaged.
    """
    try:
        manifest = Manifest.from_json((folder / "manifest.json").read_bytes())
        content = (folder / "model.zip").read_bytes()
    except FileNotFoundError as exc:
        raise TrainingError(
            f"there is no model in {folder}; train one with: python -m training train"
        ) from exc
    except OSError as exc:  # such as a file in the folder's place
        raise TrainingError(f"{exc.filename} cannot be read: {exc.strerror}") from exc
    except ArtifactError as exc:
        raise TrainingError(f"{folder / 'manifest.json'}: {exc}; train again") from exc
    actual = hashlib.sha256(content).hexdigest()
    if actual != manifest.sha256:
        raise TrainingError(
            f"{folder / 'model.zip'} is not the file that its manifest describes (sha256 {actual}, "
            f"not {manifest.sha256}); train again"
        )
    return manifest, content


def current(options: Options) -> Manifest | None:
    """Return the stored model if training again would give the same one, None otherwise."""
    try:
        manifest, _ = load(options.output)
    except TrainingError:
        return None
    same = manifest.training.get("fingerprint") == options.fingerprint()
    return manifest if same else None


def _read(options: Options, source: str | None, revision: str | None, split: str) -> Reviews:
    """Read the reviews to fit on, or those to measure on: the columns are called the same."""
    return data.read(
        source,
        text_column=options.text_column,
        label_column=options.label_column,
        revision=revision,
        split=split,
    )


def _fit(reviews: Reviews, seed: int) -> Pipeline:
    try:
        return pipelines.article(seed).fit(reviews.texts, reviews.labels)
    except ValueError as exc:  # such as texts without a single word
        raise TrainingError(f"no model can be fitted on {reviews.source}: {exc}") from exc


def _split(reviews: Reviews, options: Options) -> tuple[Reviews, Reviews]:
    """Hold a part back, with the same share of each label in both parts."""
    try:
        parts = train_test_split(
            reviews.texts,
            reviews.labels,
            test_size=options.test_size,
            random_state=options.seed,
            stratify=reviews.labels,
        )
    except ValueError as exc:
        raise TrainingError(
            f"--test-size {options.test_size} of {len(reviews.texts):,} reviews leaves too few to "
            "fit or to measure on; 0.2 is usual"
        ) from exc
    rest = (reviews.source, reviews.revision, reviews.columns)
    return Reviews(parts[0], parts[2], *rest), Reviews(parts[1], parts[3], *rest)


def _measure(pipeline: Pipeline, test: Reviews) -> dict[str, Any]:
    predicted = pipeline.predict(test.texts)
    return {
        "accuracy": round(float(accuracy_score(test.labels, predicted)), 6),
        "f1": round(float(f1_score(test.labels, predicted)), 6),
        # Rows are the true labels, columns the predicted ones, both in the order 0, 1.
        "confusion": confusion_matrix(test.labels, predicted, labels=[0, 1]).tolist(),
        "rows": len(test.texts),
        "source": test.source,
    }


def _write(
    pipeline: Pipeline,
    reviews: Reviews,
    held_out: Sequence[str],
    metrics: Mapping[str, Any],
    options: Options,
) -> Manifest:
    try:
        content = write_artifact(pipeline, rows=held_out)
    except ArtifactError as exc:
        raise TrainingError(str(exc)) from exc
    sha256 = hashlib.sha256(content).hexdigest()
    model = read_artifact(content, sha256, _MAX_BYTES)
    again = model.pipeline
    probe = reviews.texts[:: max(1, len(reviews.texts) // 200)]
    if not np.array_equal(again.decision_function(probe), pipeline.decision_function(probe)):
        raise TrainingError("the stored model does not predict what the trained one does")
    manifest = Manifest(
        name=NAME,
        version="",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        sha256=sha256,
        size=len(content),
        format=artifact.FORMAT,
        python=artifact.python_version(),
        libraries=_libraries(),
        labels=LABELS,
        input_field=INPUT_FIELD,
        training={
            "source": reviews.source,
            "revision": reviews.revision,
            "rows": len(reviews.texts),
            "columns": list(reviews.columns),
            "seed": options.seed,
            "fingerprint": options.fingerprint(),
        },
        metrics=metrics,
        git_revision=_git_revision(),
        form="sklearn" if model.not_compiled else "compiled",
        not_compiled=model.not_compiled,
    )
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        # The manifest comes last: a folder with a manifest that fits its artifact is complete.
        _replace(options.output / "model.zip", content)
        _replace(options.output / "manifest.json", manifest.to_json())
    except OSError as exc:
        raise TrainingError(f"{options.output} cannot be written: {exc.strerror}") from exc
    return manifest


def _replace(path: Path, content: bytes) -> None:
    """Write a file as a whole, or leave the old one."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _libraries() -> dict[str, str]:
    return {name: installed_version(name) for name in _LIBRARIES}


def _git_revision() -> str | None:
    """Return the commit of the code that trains, None outside a git checkout."""
    try:
        result = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return result.stdout.strip() if result.returncode == 0 else None
