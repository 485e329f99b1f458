"""Stores a fitted pipeline as a model, from a notebook or a script.

The project is not a package that can be installed: its folder must be on Python's path, in a
notebook as in a script::

    import sys
    sys.path.insert(0, "/path/to/sklearn-api")      # the project's folder
    from training.save import save_model

    save_model(pipeline, X_test, y_test, name="churn", labels={0: "stays", 1: "leaves"})

The kernel must have the project's scikit-learn: an artifact is served by the version that wrote it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from sklearn_api.errors import ArtifactError
from sklearn_api.signature import TEXT, LabelValue, Signature
from training.artifact.checks import check_estimator
from training.artifact.manifest import Manifest
from training.artifact.sample import Sample, sample_of
from training.errors import TrainingError
from training.fitted import described, origin, store_fitted
from training.folder import report_file
from training.metrics import headline_text
from training.names import check_name
from training.next_steps import next_steps
from training.options import EXAMPLES, ROOT, TEXT_FIELD, model_folder
from training.signature import infer_signature
from training.targets import with_usual_words
from training.terminal import Terminal


@dataclass(frozen=True)
class Saved:
    """A stored model.

    Attributes
    ----------
    folder : Path
        Holds `model.zip`, `manifest.json` and the report.
    manifest : Manifest
        Facts about it, its metrics among them.
    signature : Signature
        What goes into it, and what comes out.
    report : Path
        Its report, an HTML page.
    """

    folder: Path
    manifest: Manifest = field(repr=False)
    signature: Signature = field(repr=False)
    report: Path = field(repr=False)

    def __repr__(self) -> str:
        return f"<Model {self.manifest.name}: {self._summary()}, in {self.folder}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        rows = {
            "takes": ", ".join(one.name for one in self.signature.inputs),
            "answers": ", ".join(one.word for one in self.signature.labels) or "a number",
            "folder": str(self.folder),
        }
        cells = "".join(
            f"<tr><th style='text-align:left'>{name}</th>"
            f"<td style='text-align:left'>{escape(text)}</td></tr>"
            for name, text in rows.items()
        )
        return (
            f"<b>Model {escape(self.manifest.name)}</b>: {escape(self._summary())}, "
            f'<a href="{escape(self.report.as_uri())}">report</a><table>{cells}</table>'
        )

    def _summary(self) -> str:
        measured = headline_text(self.manifest.metrics)
        return ", ".join(filter(None, (self.signature.task, measured)))


def save_model(
    pipeline: Any,
    rows: Any,
    targets: Any = None,
    *,
    name: str,
    labels: Mapping[LabelValue, str] | None = None,
    field: str | None = None,
    integers: Iterable[str] = (),
    folder: Path | str | None = None,
    own_code: Iterable[str] = (),
    terminal: Terminal | None = None,
) -> Saved:
    """Measure a fitted pipeline, and store it as a model that can be published.

    The signature (what clients send and get) is inferred from the pipeline and the rows. The
    artifact is written, read back the way a Lambda reads it, and compared with the pipeline. What
    can be wrong with it is said here, and not by an endpoint.

    Parameters
    ----------
    pipeline : estimator
        A fitted estimator or `Pipeline` of scikit-learn, with all that happens to the rows.
    rows : list or Series of str, DataFrame, or ndarray of shape (n, columns)
        Rows of its input that it was **not** fitted on: the metrics are measured on them, and on
        rows that it knows they would be too good. Nothing here can tell. The more, the better:
        types, gaps and categories of the inputs are those that occur in them.
    targets : array_like, optional
        What is right for each row, as the estimator has it: classes, numbers, or an indicator
        matrix of shape ``(n, labels)``. Without them, nothing is measured.
    name : str
        Of the model: lower case letters, digits and hyphens, at most 24 characters.
    labels : mapping, optional
        What clients see for each class, such as ``{0: "stays", 1: "leaves"}``. Default: the class.
    field : str, optional
        What clients call the input of a model of texts. Default: the name of the Series, or
        ``text``.
    integers : iterable of str, optional
        Columns that hold a whole number in every request. Other columns of whole numbers may be
        missing in a request, even if none is in `rows`.
    folder : Path or str, optional
        Where to store the model. Default: `.local/model/<name>` in the project's folder, wherever
        the current folder is.
    own_code : iterable of str, optional
        Full names of types and functions of your own that the pipeline contains, such as
        ``handlers.churn.steps.Shortener``. The endpoint has to declare the same names.
    terminal : Terminal, optional
        Shows the steps. Default: standard output.

    Returns
    -------
    Saved
        Where the model and its report are; a notebook shows it as a table.

    Raises
    ------
    TrainingError
        The pipeline cannot be served, or the arguments do not fit it; the message says why, and
        what to do.
    """
    terminal = terminal or Terminal()
    check_name(name)
    target_folder = ROOT / model_folder(name)
    if folder is not None:
        target_folder = Path(folder).expanduser().resolve()
    with terminal.step("Inferring the signature") as done:
        try:
            check_estimator(pipeline)
            sample = sample_of(rows, pipeline)
        except ArtifactError as exc:
            raise TrainingError(str(exc)) from exc
        signature = infer_signature(
            pipeline,
            rows,
            field=_field(field, sample, name),
            labels=labels,
            integers=_names(integers),
            targets=targets,
        )
        if labels is None:
            signature = with_usual_words(signature, name)
        done(described(signature))
    manifest = store_fitted(
        pipeline,
        signature,
        sample,
        targets,
        name=name,
        folder=target_folder,
        source=None,
        origin=origin(pipeline, "saved from code"),
        own_code=_names(own_code),
        terminal=terminal,
    )
    for line in next_steps(name, target_folder):
        terminal.print_line(line)
    return Saved(target_folder, manifest, signature, report_file(target_folder))


def _names(given: Iterable[str]) -> tuple[str, ...]:
    """Return names; a string is one name, and not several of one character."""
    return (given,) if isinstance(given, str) else tuple(given)


def _field(given: str | None, sample: Sample, name: str) -> str | None:
    """Return the name of the input of a model of texts."""
    if given is not None or sample.kind != TEXT:
        return given
    return EXAMPLES[name].text_field if name in EXAMPLES else sample.field or TEXT_FIELD
