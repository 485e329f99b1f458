"""Fits a pipeline, measures it on rows that it has not seen, and writes the artifact.

Without test data, two models are fitted: one on a part of the rows, to measure it on the rest, and
one on all of them, to store it. The stored model has the metrics of the first, which are slightly
pessimistic, since more data does not make a model worse. With test data, one model is fitted on all
rows, measured and stored.
"""

from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_api.signature import BINARY, MULTICLASS, MULTILABEL, TEXT, Signature
from training.artifact.manifest import Manifest
from training.assemble import Measured, Model, assemble
from training.dataset import Dataset, read_dataset, read_test
from training.errors import TrainingError
from training.evaluation import evaluate, seen_rows
from training.fit import Fitted, fit
from training.folder import load
from training.metrics import about_seen
from training.options import EXAMPLES, Options
from training.provenance import fingerprint
from training.signature import infer_signature
from training.targets import with_usual_words
from training.terminal import Terminal

_RARE = 0.2  # a class with a smaller share of the rows gets a warning


def train(options: Options, terminal: Terminal) -> Manifest:
    """Train, measure and store a model.

    Raises
    ------
    TrainingError
        No model can be trained on the data, or it cannot be served or written.
    """
    with terminal.step("Reading data") as done:
        dataset = read_dataset(options)
        done(f"{len(dataset):,} rows from {dataset.source}")
        test = read_test(options, dataset) if options.test_source else None
    for note in dict.fromkeys((*dataset.notes, *(test.notes if test else ()))):
        terminal.print_line(f"  {note}")
    _warn_about_rare_classes(dataset, terminal)
    fitted_on = dataset
    if test is None:
        fitted_on, test = split(dataset, options)
    measured = fit(fitted_on, options, terminal)
    signature = signature_of(measured, fitted_on, options)
    with terminal.progress(f"Measuring on {len(test):,}", len(test)) as advance:
        evaluation = evaluate(
            measured.pipeline,
            measured.calibration,
            signature,
            test.rows,
            test.targets,
            seen=seen_rows(test.rows, fitted_on.rows),
            progress=advance,
        )
    model = measured
    if fitted_on is not dataset:
        model = fit(dataset, options, terminal, like=measured)
        signature = signature_of(model, dataset, options)
    for note in model.notes:
        terminal.print_line(f"  {note}")
    facts = training_facts(dataset, model, options)
    manifest = assemble(
        Model(options.name, model.pipeline, signature, model.calibration, facts),
        Measured(evaluation, measured.pipeline, test.rows, test.source),
        options.output,
        terminal,
    )
    seen = about_seen(manifest.metrics, dataset.kind)
    if seen:
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


def split(dataset: Dataset, options: Options) -> tuple[Dataset, Dataset]:
    """Split off the rows to measure on, with the same share of each class in both parts.

    Raises
    ------
    TrainingError
        A part would have too few rows.
    """
    one_class_each = dataset.task in (BINARY, MULTICLASS)
    try:
        fitted_on, held_out = train_test_split(
            np.arange(len(dataset)),
            test_size=options.test_size,
            random_state=options.seed,
            stratify=dataset.targets if one_class_each else None,
        )
    except ValueError as exc:
        raise TrainingError(
            f"--test-size {options.test_size} of {len(dataset):,} rows leaves too few to fit or to "
            "measure on; a usual value is 0.2"
        ) from exc
    return dataset.take(fitted_on), dataset.take(held_out)


def training_facts(dataset: Dataset, model: Fitted, options: Options) -> dict[str, Any]:
    """Return how a model was trained, for its manifest."""
    found = model.found
    return {
        "source": dataset.source,
        "revision": dataset.revision,
        "rows": len(dataset),
        "classes": {str(one): count for one, count in dataset.class_counts().items()},
        "columns": list(dataset.columns),
        "target": dataset.target,
        "recipe": model.recipe,
        "parameters": model.parameters,
        "terms": len(model.pipeline[0].vocabulary_) if dataset.kind == TEXT else None,
        "search": found and {"accuracy": found.accuracy, "candidates": found.candidates},
        "calibration_losses": dict(model.losses),
        "seed": options.seed,
        "fingerprint": fingerprint(options),
    }


def _warn_about_rare_classes(dataset: Dataset, terminal: Terminal) -> None:
    if dataset.task not in (BINARY, MULTICLASS):
        return
    counts = dataset.class_counts()
    rare = min(counts, key=counts.__getitem__)
    share = counts[rare] / len(dataset)
    if share < _RARE / (len(counts) - 1):
        terminal.warn(
            f"only {share:.1%} of {dataset.source} has the class {rare}: a model that never "
            "predicts this class would be right for all other rows, so look at precision and "
            "recall, not at accuracy"
        )


def signature_of(model: Fitted, dataset: Dataset, options: Options) -> Signature:
    """Return what goes into a model and what comes out of it, in the words of the data.

    Parameters
    ----------
    model : Fitted
        Fitted on the data set.
    dataset : Dataset
        Names the input of a text, and the labels where several may apply.
    options : Options
        `labels` and `integers` count, and `name`: an example's has an input and words of its own.
    """
    several = field = None
    if dataset.task == MULTILABEL:
        import pandas as pd  # only tables and several labels need it

        several = pd.DataFrame(dataset.targets, columns=[str(one) for one in dataset.classes])
    if dataset.kind == TEXT:
        example = EXAMPLES.get(options.name)
        field = example.text_field if example else dataset.columns[0]
    signature = infer_signature(
        model.pipeline,
        dataset.rows,
        field=field,
        labels=options.labels or None,
        integers=options.integers,
        targets=several,
    )
    return signature if options.labels else with_usual_words(signature, options.name)
