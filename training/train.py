"""Fits a pipeline, measures it on reviews that it has not seen, and writes the artifact.

Without test data, two models are fitted: one on a part of the reviews, to measure it on the rest,
and one on all of them, to store it. The stored model has the metrics of the first, which are
slightly pessimistic, since more data does not make a model worse. With test data, one model is
fitted on all reviews, measured and stored.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline

from sklearn_api.artifact.header import FORMAT, python_version
from sklearn_api.calibration import Sigmoid
from sklearn_api.errors import ArtifactError
from sklearn_api.utils import LABELS
from training import data
from training.artifact.manifest import Manifest
from training.artifact.write import Artifact, write_artifact
from training.data import Reviews, has_format
from training.data.spacing import is_unspaced
from training.errors import TrainingError
from training.evaluation import calibrate, evaluate, seen_rows
from training.folder import load, store
from training.metrics import about_seen
from training.options import MODEL_NAME, Options, RecipeName
from training.provenance import fingerprint, git_revision, libraries
from training.recipes import RECIPES, Recipe
from training.report import render
from training.search import Result, search
from training.signature import text_signature
from training.terminal import Terminal

SIGNATURE = text_signature([0, 1], field="review_text", words=LABELS)
_COMPARED = 1000  # held-out reviews for which both forms of a model must predict the same
_RARE = 0.2  # a label with a smaller share of the reviews gets a warning


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline, and its calibration."""

    pipeline: Pipeline
    calibration: Sigmoid


def train(options: Options, terminal: Terminal) -> Manifest:
    """Train, measure and store a model.

    Raises
    ------
    TrainingError
        No model can be trained on the data, or it cannot be written.
    """
    with terminal.step("Reading reviews") as done:
        reviews = _read(options, options.source, options.revision, "train")
        done(f"{len(reviews.texts):,} from {reviews.source}, {sum(reviews.labels):,} positive")
        test = None
        if options.test_source:
            test = _read(options, options.test_source, options.test_revision, "test")
    for note in dict.fromkeys((*reviews.notes, *(test.notes if test else ()))):
        terminal.print_line(f"  {note}")
    _warn_about_rare_labels(reviews, terminal)
    fitted_on = reviews
    if test is None:
        fitted_on, test = _split(reviews, options)
    recipe, found = RECIPES[options.recipe_name], None
    _warn_about_missing_spaces(reviews, recipe, terminal)
    if options.search:
        found = search(recipe, fitted_on, options.seed, terminal, options.search_backend)
        recipe = found.recipe
    measured = _fit(recipe, fitted_on, options.seed, terminal)
    with terminal.progress(f"Measuring on {len(test.texts):,}", len(test.texts)) as advance:
        evaluation = evaluate(
            measured.pipeline,
            measured.calibration,
            SIGNATURE,
            test.texts,
            test.labels,
            seen=seen_rows(test.texts, fitted_on.texts),
            progress=advance,
        )
        metrics = evaluation.metrics()
    model = measured if fitted_on is reviews else _fit(recipe, reviews, options.seed, terminal)
    with terminal.step("Writing the model") as done:
        artifact = _artifact(model, test)
        manifest = _manifest(
            artifact,
            training=_training(recipe, model, reviews, found, options),
            metrics={
                **metrics,
                "source": test.source,
                "calibration": model.calibration._asdict(),
            },
        )
        done(f"{manifest.size / 1e3:,.0f} kB, read back and compared")
    with terminal.step("Drawing the report"):
        page = render(manifest, evaluation, measured.pipeline)
    store(options.output, manifest, artifact.content, page)
    terminal.print_metrics(manifest)
    if seen := about_seen(metrics, SIGNATURE.kind):
        terminal.warn(seen)
    return manifest


def current(options: Options) -> Manifest | None:
    """Return the stored model's manifest if training would give the same model, None otherwise."""
    try:
        manifest, _ = load(options.output)
    except TrainingError:
        return None
    same = manifest.training.get("fingerprint") == fingerprint(options)
    return manifest if same else None


def _read(options: Options, source: str | None, revision: str | None, split: str) -> Reviews:
    """Read the reviews to fit on, or those to measure on: their columns have the same names.

    Encoding and separator apply to both, but the reviews to measure on may be of another type.
    """
    asked = split == "train"
    return data.read(
        source,
        text_column=options.text_column,
        label_column=options.label_column,
        revision=revision,
        split=split,
        encoding=options.encoding if asked or has_format(source, "encoding") else None,
        separator=options.separator if asked or has_format(source, "separator") else None,
        drop_empty=options.drop_empty,
    )


def _warn_about_rare_labels(reviews: Reviews, terminal: Terminal) -> None:
    positive = sum(reviews.labels) / len(reviews.labels)
    share, label = min((positive, LABELS[1]), (1 - positive, LABELS[0]))
    if share < _RARE:
        terminal.warn(
            f"only {share:.1%} of {reviews.source} is labelled {label}: a model that never "
            "predicts this label would be right for all other reviews, so look at precision and "
            "recall, not at accuracy"
        )


def _warn_about_missing_spaces(reviews: Reviews, recipe: Recipe, terminal: Terminal) -> None:
    if not recipe.characters and is_unspaced(reviews.texts):
        terminal.warn(
            f"the texts of {reviews.source} have no spaces between words, so the recipe "
            f"{recipe.name} takes whole sentences for words and learns little from them; choose "
            f"--recipe {RecipeName.CHARACTERS}"
        )


def _fit(recipe: Recipe, reviews: Reviews, seed: int, terminal: Terminal) -> Fitted:
    """Fit a recipe, and calibrate it by cross-validation on the same reviews."""
    try:
        with terminal.step(f"Counting terms of {len(reviews.texts):,} reviews") as done:
            counts, terms = recipe.count(reviews.texts)
            done(f"{len(terms):,}")
        estimator = recipe.estimator(seed)
        with terminal.step("Fitting") as done:
            pipeline = recipe.pipeline(estimator.fit(counts, reviews.labels), terms)
            done(f"{recipe.name}, {len(estimator.columns_):,} terms kept")
        with terminal.step("Calibrating by cross-validation"):
            calibration = calibrate(recipe.estimator(seed), counts, reviews.labels)
    except ValueError as exc:  # such as an empty vocabulary
        raise TrainingError(f"no model can be fitted on {reviews.source}: {exc}") from exc
    if calibration.slope == 0:
        terminal.warn(
            "the scores say nothing about reviews that the model was not fitted on: it will return "
            "the same probability for every review"
        )
    return Fitted(pipeline, calibration)


def _split(reviews: Reviews, options: Options) -> tuple[Reviews, Reviews]:
    """Split off the reviews to measure on, with the same share of each label in both parts."""
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
            "fit or to measure on; a usual value is 0.2"
        ) from exc
    rest = (reviews.source, reviews.revision, reviews.columns)
    return Reviews(parts[0], parts[2], *rest), Reviews(parts[1], parts[3], *rest)


def _artifact(model: Fitted, test: Reviews) -> Artifact:
    """Write a model as an artifact; its two forms are compared on held-out reviews."""
    held_out = test.texts[:: max(1, len(test.texts) // _COMPARED)]
    try:
        return write_artifact(model.pipeline, SIGNATURE, model.calibration, rows=held_out)
    except ArtifactError as exc:
        raise TrainingError(str(exc)) from exc


def _training(
    recipe: Recipe, model: Fitted, reviews: Reviews, found: Result | None, options: Options
) -> dict[str, Any]:
    """Return how a model was trained, for its manifest."""
    return {
        "source": reviews.source,
        "revision": reviews.revision,
        "rows": len(reviews.texts),
        "positive": sum(reviews.labels),
        "columns": list(reviews.columns),
        "recipe": recipe.name,
        "parameters": recipe.parameters,
        "terms": len(model.pipeline[0].vocabulary_),
        "search": found and {"accuracy": found.accuracy, "candidates": found.candidates},
        "seed": options.seed,
        "fingerprint": fingerprint(options),
    }


def _manifest(
    artifact: Artifact,
    *,
    training: Mapping[str, Any],
    metrics: Mapping[str, Any],
) -> Manifest:
    return Manifest(
        name=MODEL_NAME,
        version="",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        sha256=hashlib.sha256(artifact.content).hexdigest(),
        size=len(artifact.content),
        format=FORMAT,
        python=python_version(),
        libraries=libraries(),
        signature=SIGNATURE.to_dict(),
        training=training,
        metrics=metrics,
        git_revision=git_revision(),
        form="sklearn" if artifact.not_compiled else "compiled",
        not_compiled=artifact.not_compiled,
    )
