"""The report of a trained model: one self-contained HTML page without scripts."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from html import escape
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from training import plots
from training.artifact.manifest import Manifest
from training.evaluation import Evaluation

WORDS = 25
WRONG = 5
_EXCERPT = 420  # characters of a review that are visible without a click

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ --font: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  --ink: {ink}; --muted: {muted}; --line: {grid}; --positive: {positive}; --negative: {negative}; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: #f4f6f8; color: var(--ink); font: 16px/1.55 var(--font); }}
main {{ max-width: 1060px; margin: 0 auto; padding: 48px 28px 72px; }}
h1 {{ margin: 0; font-size: 2rem; letter-spacing: -0.02em; line-height: 1.2; }}
h2 {{ margin: 52px 0 4px; font-size: 1.3rem; letter-spacing: -0.01em; }}
h3 {{ margin: 0 0 2px; font-size: 1rem; }}
p {{ margin: 4px 0 16px; }}
.muted, figcaption {{ color: var(--muted); }}
figcaption {{ font-size: 0.875rem; line-height: 1.45; margin-bottom: 10px; }}
.figures {{ display: grid; gap: 18px; grid-template-columns: 1fr; }}
.card {{ margin: 0; padding: 20px 22px; background: #fff; border: 1px solid var(--line);
  border-radius: 10px; min-width: 0; }}
.card svg {{ display: block; width: 100%; height: auto; }}
.tiles {{ display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr));
  margin: 26px 0 14px; }}
.tile {{ padding: 14px 16px; background: #fff; border: 1px solid var(--line);
  border-radius: 10px; }}
.tile b {{ display: block; font-size: 1.6rem; line-height: 1.25; letter-spacing: -0.02em;
  font-variant-numeric: tabular-nums; white-space: nowrap; }}
.tile span {{ color: var(--muted); font-size: 0.875rem; }}
.positive {{ color: var(--positive); }} .negative {{ color: var(--negative); }}
.review {{ margin-bottom: 14px; }}
.review header {{ display: flex; flex-wrap: wrap; gap: 4px 18px; align-items: baseline;
  justify-content: space-between; font-size: 0.9375rem; margin-bottom: 6px; }}
.text {{ white-space: pre-line; overflow-wrap: anywhere; margin: 0; }}
summary {{ cursor: pointer; color: var(--muted); }}
table {{ width: 100%; border-collapse: collapse; }}
th, td {{ padding: 7px 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }}
tr:last-child > * {{ border-bottom: 0; }}
th {{ width: 12rem; padding-right: 16px; font-weight: 400; color: var(--muted); }}
code, pre {{ font: 0.875rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono",
  monospace; }}
pre {{ overflow-x: auto; margin: 12px 0 0; }}
@media (min-width: 760px) {{ .figures {{ grid-template-columns: 1fr 1fr; }} }}
@media print {{ body {{ background: #fff; }} .card, .tile {{ break-inside: avoid; }} }}
</style>
</head>
<body><main>
{body}
</main></body>
</html>
"""


def render(manifest: Manifest, evaluation: Evaluation, pipeline: Pipeline) -> str:
    """Return a model's report as one HTML page.

    Parameters
    ----------
    manifest : Manifest
        Manifest of the model.
    evaluation : Evaluation
        The evaluation that `manifest.metrics` come from.
    pipeline : Pipeline
        The pipeline that was measured: a `TfidfVectorizer` and a `LinearSVC`.
    """
    parts = [
        *_head(manifest),
        *_figures(manifest, evaluation),
        *_words(pipeline),
        *_wrong(manifest, evaluation),
        *_manifest(manifest),
    ]
    return _PAGE.format(
        title=escape(f"Model {manifest.name}, trained on {manifest.training['source']}"),
        body="\n".join(parts),
        ink=plots.INK,
        muted=plots.MUTED,
        grid=plots.GRID,
        positive=plots.POSITIVE,
        negative=plots.NEGATIVE,
    )


def strongest(pipeline: Pipeline, count: int = WORDS) -> tuple[list[tuple[str, float]], ...]:
    """Return the strongest terms for class 1, and the strongest for class 0, with their weights.

    A term's weight says how far it moves the scores of all texts. It is the product of the term's
    coefficient, of its inverse document frequency (together its contribution to one text, up to the
    text's length), and of the root of the number of texts that it occurs in. That number follows
    from the inverse document frequency, up to a factor that is the same for all terms.
    """
    vectorizer, svc = pipeline[0], pipeline[-1]
    weights = svc.coef_[0] * vectorizer.idf_ * np.exp(-vectorizer.idf_ / 2)
    names = vectorizer.get_feature_names_out()
    order = np.argsort(weights, kind="stable")
    positive = [(str(names[i]), float(weights[i])) for i in order[::-1][:count] if weights[i] > 0]
    negative = [(str(names[i]), float(weights[i])) for i in order[:count] if weights[i] < 0]
    return positive, negative


def most_wrong(evaluation: Evaluation, count: int = WRONG) -> list[int]:
    """Return the misclassified rows, those farthest from the decision boundary first."""
    wrong = np.flatnonzero((evaluation.scores > 0) != (evaluation.labels == 1))
    order = np.argsort(-np.abs(evaluation.scores[wrong]), kind="stable")
    return [int(row) for row in wrong[order][:count]]


def _head(manifest: Manifest) -> Iterator[str]:
    training, metrics = manifest.training, manifest.metrics
    yield f"<h1>Model “{escape(manifest.name)}”</h1>"
    yield (
        f'<p class="muted">Recipe <b>{escape(training["recipe"])}</b>, trained on '
        f"{training['rows']:,} reviews of {escape(training['source'])}, measured on "
        f"{metrics['rows']:,} reviews of {escape(metrics['source'])} that it was not fitted on. "
        f"{datetime.fromisoformat(manifest.created):%Y-%m-%d, %H:%M} UTC.</p>"
    )
    tiles = {
        "accuracy": f"{metrics['accuracy']:.4f}",
        "F1": f"{metrics['f1']:.4f}",
        "area under ROC": f"{metrics['roc_auc']:.4f}",
        "calibration error": f"{metrics['ece']:.4f}",
        "terms": f"{training['terms']:,}",
        "artifact": _size(manifest.size),
    }
    yield '<div class="tiles">'
    for name, value in tiles.items():
        yield f'<div class="tile"><b>{value}</b><span>{name}</span></div>'
    yield "</div>"
    if metrics["rows_seen"]:
        yield (
            f'<p class="muted">{metrics["rows_seen"]:,} of the reviews that it was measured on are '
            "also among those that it was fitted on, word for word. Without them, the accuracy is "
            f"{metrics['accuracy_unseen']}.</p>"
        )


def _figures(manifest: Manifest, evaluation: Evaluation) -> Iterator[str]:
    yield "<h2>How well it separates the labels</h2>"
    yield '<p class="muted">The dashed lines show random guessing and perfect calibration.</p>'
    yield '<div class="figures">'
    yield _figure(
        "ROC curve",
        "Each point is a threshold of the score. The closer to the top left corner, the better.",
        plots.roc(evaluation),
    )
    yield _figure(
        "Precision and recall",
        "The more of the positive reviews the model finds, the more of the reviews that it finds "
        "are negative.",
        plots.precision_recall(evaluation),
    )
    yield _figure(
        "Confusion matrix",
        "Percentages are shares of a row: of all reviews with that true label.",
        plots.confusion(manifest.metrics["confusion"], manifest.labels),
    )
    yield _figure(
        "Calibration",
        "Of the reviews with a predicted probability of 80%, are 80% positive? On the line, they "
        f"are. The mean distance from the line is {manifest.metrics['ece']:.4f}.",
        plots.calibration(evaluation),
    )
    yield "</div>"


def _words(pipeline: Pipeline) -> Iterator[str]:
    positive, negative = strongest(pipeline)
    yield "<h2>The strongest words for each label</h2>"
    yield '<p class="muted">The longer the bar, the further the word moves all scores.</p>'
    yield '<div class="figures">'
    yield _figure("For a positive review", "", plots.words(positive, "positive", plots.POSITIVE))
    yield _figure("For a negative review", "", plots.words(negative, "negative", plots.NEGATIVE))
    yield "</div>"


def _wrong(manifest: Manifest, evaluation: Evaluation) -> Iterator[str]:
    yield "<h2>The worst errors</h2>"
    rows = most_wrong(evaluation)
    if not rows:
        yield '<p class="muted">It made no error on the reviews that it was measured on.</p>'
        return
    yield '<p class="muted">Often irony, a plot summary, or a label that is itself wrong.</p>'
    for row in rows:
        label = int(evaluation.labels[row])
        probability = float(evaluation.probabilities[row])
        predicted = 1 - label
        confidence = probability if predicted == 1 else 1 - probability
        kind = "positive" if predicted else "negative"
        yield (
            '<article class="card review"><header>'
            f'<span>predicted <b class="{kind}">{escape(manifest.labels[predicted])}</b> with '
            f"{_percent(confidence)}</span>"
            f'<span class="muted">labelled {escape(manifest.labels[label])}, '
            f"score {evaluation.scores[row]:+.2f}</span></header>"
            f"{_text(evaluation.texts[row])}</article>"
        )


def _manifest(manifest: Manifest) -> Iterator[str]:
    training, metrics = manifest.training, manifest.metrics
    rows: dict[str, Any] = {
        "Trained on": f"{training['source']}, {training['rows']:,} rows "
        f"({training['positive']:,} positive), columns {' and '.join(training['columns'])}",
        "Revision": training["revision"],
        "Recipe": f"{training['recipe']}: "
        + ", ".join(f"{name} {value}" for name, value in training["parameters"].items()),
        "Search": "none"
        if not training["search"]
        else f"the best of {len(training['search']['candidates'])} variants, "
        f"{training['search']['accuracy']:.4f} in cross-validation",
        "Seed": training["seed"],
        "Precision, recall": f"{metrics['precision']:.4f}, {metrics['recall']:.4f}",
        "Brier score": f"{metrics['brier']:.4f}",
        "Probability": f"1 / (1 + exp(−({metrics['calibration']['slope']} × score + "
        f"({metrics['calibration']['intercept']}))))",
        "Artifact": f"{manifest.size:,} bytes, format {manifest.format}, sha256 {manifest.sha256}",
        "Python": manifest.python,
        "Libraries": ", ".join(f"{name} {number}" for name, number in manifest.libraries.items()),
        "Code": manifest.git_revision or "outside a git checkout",
    }
    yield "<h2>Manifest</h2>"
    yield '<p class="muted">Everything that is stored about the model.</p>'
    yield '<div class="card"><table>'
    for name, value in rows.items():
        yield f"<tr><th>{name}</th><td>{escape(str(value))}</td></tr>"
    yield "</table>"
    full = escape(json.dumps(json.loads(manifest.to_json()), indent=2, ensure_ascii=False))
    yield f"<details><summary>As JSON</summary><pre>{full}</pre></details></div>"


def _figure(title: str, caption: str, svg: str) -> str:
    shown = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="card"><h3>{escape(title)}</h3>{shown}{svg}</figure>'


def _text(text: str) -> str:
    """Return a review as HTML, with the end of a long one folded away."""
    # Many reviews were copied from a page, and contain its line breaks.
    plain = re.sub(r"(\s*<br\s*/?>\s*)+", "\n", text).strip()
    if len(plain) <= _EXCERPT * 1.2:
        return f'<p class="text">{escape(plain)}</p>'
    cut = plain.rfind(" ", _EXCERPT // 2, _EXCERPT)
    cut = cut if cut > 0 else _EXCERPT
    return (
        f'<p class="text">{escape(plain[:cut])} …</p><details><summary>The rest</summary>'
        f'<p class="text">… {escape(plain[cut:].strip())}</p></details>'
    )


def _size(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def _percent(probability: float) -> str:
    """Return a probability in per cent; none is shown as certain."""
    return f"{probability:.1%}" if probability < 0.9995 else "more than 99.9%"
