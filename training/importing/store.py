"""Imports a pipeline: loads it, measures it on rows of data, and stores it as a model."""

import hashlib
import zipfile
from pathlib import Path
from typing import Any

from sklearn_api.errors import ArtifactError
from training.artifact.checks import check_estimator, unfitted_step
from training.artifact.manifest import Manifest
from training.artifact.sample import sample_of
from training.errors import TrainingError
from training.fitted import described, origin, store_fitted
from training.importing.objects import load_object
from training.importing.options import ImportOptions
from training.importing.process import import_pickle
from training.importing.rows import Rows, read_rows
from training.importing.skops_files import load_skops
from training.options import EXAMPLES
from training.signature import infer_signature
from training.targets import as_targets, with_usual_words
from training.terminal import Terminal

_FILES = (".skops", ".joblib", ".pkl", ".pickle")
_COMPRESSED = (".gz", ".z", ".bz2", ".xz", ".lzma", ".lz4")


def import_model(options: ImportOptions, terminal: Terminal) -> Manifest:
    """Load a pipeline, measure it, and store it as a model.

    Raises
    ------
    TrainingError
        It cannot be loaded or served, or the data do not fit it; the message says why.
    """
    path = Path(options.source)
    if not _is_file(path):
        with terminal.step(f"Importing {options.source}") as done:
            pipeline = load_object(options.source)
            done(type(pipeline).__name__)
    elif _is_skops(path):
        with terminal.step(f"Reading {path.name}") as done:
            pipeline = load_skops(path, options.own_code)
            done(type(pipeline).__name__)
    else:
        return import_pickle(options)
    return store_pipeline(pipeline, options, terminal)


def store_pipeline(pipeline: Any, options: ImportOptions, terminal: Terminal) -> Manifest:
    """Measure a pipeline on the rows that the options name, and store it.

    Raises
    ------
    TrainingError
        It cannot be served, or the data do not fit it; the message says why.
    """
    name = options.name
    try:
        check_estimator(pipeline)
    except ArtifactError as exc:
        raise TrainingError(f"{options.source}: {exc}") from exc
    with terminal.step(f"Reading {options.data}") as done:
        read = _read_rows(pipeline, options)
        done(f"{len(read.rows):,} rows")
    for note in read.notes:
        terminal.print_line(f"  {note}")
    with terminal.step("Inferring the signature") as done:
        field = read.columns[0] if isinstance(read.rows, list) else None
        if field is not None and name in EXAMPLES:
            field = EXAMPLES[name].text_field
        signature = infer_signature(
            pipeline,
            read.rows,
            field=field,
            labels=options.labels or None,
            integers=options.integers,
        )
        if not options.labels:
            signature = with_usual_words(signature, name)
        done(described(signature))
    targets = None
    if read.target is not None:
        column = f"column '{options.target}' of {read.source}"
        targets = as_targets(read.target, signature, column, options.label_separator)
    path = Path(options.source)
    return store_fitted(
        pipeline,
        signature,
        sample_of(read.rows, pipeline),
        targets,
        name=name,
        folder=options.output,
        source=read.source,
        origin={
            **origin(pipeline, options.source, _sha256(path) if path.is_file() else None),
            "columns": [*read.columns, *([options.target] if options.target else [])],
        },
        own_code=options.own_code,
        terminal=terminal,
    )


def _read_rows(pipeline: Any, options: ImportOptions) -> Rows:
    try:
        return read_rows(pipeline, options)
    except TrainingError as exc:
        unfitted = unfitted_step(pipeline)
        if unfitted is None:
            raise
        # It cannot know its columns, whatever the data are like.
        raise TrainingError(
            f"{options.source}: {unfitted} is not fitted: fit the whole pipeline first"
        ) from exc


def _is_file(path: Path) -> bool:
    """Return whether a source is a file, and refuse one that is missing."""
    if path.is_file():
        return True
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    if (suffixes and suffixes[-1] in _FILES) or (path.parent.name and ":" not in str(path)):
        raise TrainingError(f"there is no file {path}")
    return False


def _is_skops(path: Path) -> bool:
    """Return whether a file is one of skops: a zip with a schema."""
    if path.suffix.lower() == ".skops":
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            return "schema.json" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
