"""Makes a stored model of a fitted pipeline: where training, importing and `save_model` end.

The signature is known by then, and the pipeline measured. What is left: the artifact, written and
verified, its manifest, its report, and the folder that holds all of them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sklearn_api.artifact.header import FORMAT, python_version
from sklearn_api.calibration import Calibration
from sklearn_api.errors import ArtifactError
from sklearn_api.signature import Signature
from training.artifact.manifest import Manifest
from training.artifact.verify import write_verified
from training.artifact.write import as_stored
from training.errors import TrainingError
from training.evaluation import Evaluation
from training.folder import store
from training.provenance import git_revision, libraries
from training.report import render
from training.terminal import Terminal


@dataclass(frozen=True)
class Model:
    """A fitted pipeline that is to be stored.

    Attributes
    ----------
    name : str
        Of the model.
    pipeline : estimator
        Fitted.
    signature : Signature
        What goes into it, and what comes out.
    calibration : Calibration or None
        Turns its decision scores into probabilities.
    training : mapping
        Where it comes from, for its manifest.
    own_code : tuple of str
        Full names of types and functions of one's own that the pipeline contains.
    """

    name: str
    pipeline: Any
    signature: Signature
    calibration: Calibration | None
    training: Mapping[str, Any]
    own_code: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """How good a model is.

    Attributes
    ----------
    evaluation : Evaluation
        Of the rows.
    pipeline : estimator
        What was measured: the model, or the same recipe fitted on a part of the data.
    rows : list of str, DataFrame, or Sample
        The rows that it was measured on; what is served must answer them as the pipeline does.
    source : str or None
        Where they come from, None if that is not known.
    """

    evaluation: Evaluation
    pipeline: Any
    rows: Any
    source: str | None


def assemble(model: Model, measured: Measured, folder: Path, terminal: Terminal) -> Manifest:
    """Write a model's artifact, verify it, and store it with its manifest and its report.

    Parameters
    ----------
    model : Model
        What to store.
    measured : Measured
        How good it is.
    folder : Path
        Where to store it.
    terminal : Terminal
        Shows the steps.

    Raises
    ------
    TrainingError
        The model cannot be served, or the folder cannot be written.
    """
    with terminal.step("Writing the model") as done:
        try:
            artifact, verified = write_verified(
                model.pipeline,
                model.signature,
                model.calibration,
                rows=measured.rows,
                own_code=model.own_code,
            )
        except ArtifactError as exc:
            raise TrainingError(str(exc)) from exc
        manifest = Manifest(
            name=model.name,
            version="",
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            sha256=hashlib.sha256(artifact.content).hexdigest(),
            size=len(artifact.content),
            format=FORMAT,
            python=python_version(),
            libraries=libraries(),
            signature=model.signature.to_dict(),
            training={**model.training, "own_code": list(model.own_code)},
            metrics=_metrics(model, measured),
            git_revision=git_revision(),
            form="sklearn" if artifact.not_compiled else "compiled",
            not_compiled=artifact.not_compiled,
        )
        done(
            f"{manifest.size / 1e3:,.0f} kB; loaded as a Lambda does, it answers "
            f"{verified.rows:,} rows as the pipeline does"
        )
    for warning in verified.warnings:
        terminal.warn(warning)
    with terminal.step("Drawing the report"):
        page = render(manifest, measured.evaluation, measured.pipeline)
    store(folder, manifest, artifact.content, page)
    terminal.print_metrics(manifest)
    return manifest


def _metrics(model: Model, measured: Measured) -> dict[str, Any]:
    return {
        **measured.evaluation.metrics(),
        "source": measured.source,
        "calibration": as_stored(model.calibration),
    }
