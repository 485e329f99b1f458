"""What goes into the model, and everything that is stored about it."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from sklearn.pipeline import Pipeline

from sklearn_api.signature import Signature
from training import description
from training.artifact.manifest import Manifest
from training.evaluation.answers import unwrapped
from training.metrics import MAIN, TITLES, capitalised, text_of
from training.report.elements import heading, pairs, table


def inputs(signature: Signature) -> Iterator[str]:
    """Yield the inputs of a signature as a table, without the columns that say nothing."""
    rows = description.inputs(signature)
    filled = [number for number in range(len(description.COLUMNS)) if any(r[number] for r in rows)]
    yield heading("What goes in")
    yield table(
        [description.COLUMNS[number] for number in filled],
        [[row[number] for number in filled] for row in rows],
    )


def manifest(found: Manifest, pipeline: Any) -> Iterator[str]:
    """Yield everything that is stored about a model."""
    training, metrics = found.training, found.metrics
    signature = Signature.from_dict(found.signature)
    others = {
        TITLES[name]: text_of(name, metrics[name])
        for name in TITLES
        if isinstance(metrics.get(name), float) and name not in MAIN.get(signature.task, ())
    }
    rows = {
        "Predicts": description.purpose(signature),
        "Labels": description.labels(signature),
        "Trained on": _source(training),
        "Revision": training.get("revision"),
        "Recipe": _recipe(training),
        "Search": _search(training),
        "Seed": training.get("seed"),
        "Pipeline": _steps(pipeline),
        **{capitalised(title): figure for title, figure in others.items()},
        "Calibration": _calibration(metrics.get("calibration")),
        "Artifact": f"{found.size:,} bytes, format {found.format}, sha256 {found.sha256}",
        "Served by": "plain Python"
        if found.form == "compiled"
        else f"scikit-learn{f': {found.not_compiled}' if found.not_compiled else ''}",
        "Python": found.python,
        "Libraries": ", ".join(f"{name} {number}" for name, number in found.libraries.items()),
        "Code": found.git_revision or "outside a git checkout",
    }
    yield heading("Manifest", "Everything that is stored about the model.")
    full = escape(json.dumps(json.loads(found.to_json()), indent=2, ensure_ascii=False))
    shown = {name: str(value) for name, value in rows.items() if value not in (None, "")}
    yield (
        f'<div class="card">{pairs(shown)}'
        f"<details><summary>As JSON</summary><pre>{full}</pre></details></div>"
    )


def _source(training: Mapping[str, Any]) -> str:
    facts = [str(training["source"])] if training.get("source") else []
    if isinstance(training.get("rows"), int):
        facts.append(f"{training['rows']:,} rows")
    if training.get("columns"):
        columns = [*map(str, training["columns"])]
        more = f" and {len(columns) - 12} more" if len(columns) > 12 else ""
        facts.append(f"columns {', '.join(columns[:12])}{more}")
    return ", ".join(facts)


def _recipe(training: Mapping[str, Any]) -> str:
    if not training.get("recipe"):
        return ""
    given = (training.get("parameters") or {}).items()
    parameters = ", ".join(f"{name} {value}" for name, value in given)
    return f"{training['recipe']}: {parameters}" if parameters else str(training["recipe"])


def _search(training: Mapping[str, Any]) -> str:
    search = training.get("search")
    if not search:
        return ""
    return (
        f"the best of {len(search['candidates'])} variants, {search['accuracy']:.4f} in "
        "cross-validation"
    )


def _steps(pipeline: Any) -> str:
    pipeline = unwrapped(pipeline)
    steps = pipeline if isinstance(pipeline, Pipeline) else [pipeline]
    return " → ".join(type(step).__name__ for step in steps)


def _calibration(stored: Mapping[str, Any] | None) -> str:
    """Return how probabilities follow from scores, as `training.artifact.write` stores it."""
    match stored:
        case None:
            return ""
        case {"slope": slope, "intercept": intercept}:
            return f"1 / (1 + exp(−({slope} × score + ({intercept}))))"
        case {"factor": factor}:
            return f"softmax of the scores times {factor}"
        case {"slopes": slopes}:
            return f"a sigmoid for each of {len(slopes)} classes, divided by their sum"
    return json.dumps(stored)
