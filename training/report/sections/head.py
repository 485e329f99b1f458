"""What the model is, and how good it is in a line."""

from collections.abc import Iterator
from datetime import datetime
from html import escape

from training.artifact.manifest import Manifest
from training.evaluation import Evaluation, Unmeasured
from training.metrics import NOUNS, about_seen, capitalised, main_figures
from training.report.elements import tiles


def parts(manifest: Manifest, evaluation: Evaluation) -> Iterator[str]:
    """Yield the title, what the model was trained and measured on, and the main figures."""
    training, metrics = manifest.training, manifest.metrics
    kind = evaluation.signature.kind
    yield f"<h1>Model “{escape(manifest.name)}”</h1>"
    facts = []
    if training.get("recipe"):
        facts.append(f"recipe <b>{escape(str(training['recipe']))}</b>")
    if isinstance(training.get("rows"), int):
        facts.append(f"trained on {training['rows']:,} {NOUNS[kind]}" + _of(training.get("source")))
    verb = "asked about" if isinstance(evaluation, Unmeasured) else "measured on"
    facts.append(
        f"{verb} {metrics['rows']:,} {NOUNS[kind]}{_of(metrics.get('source'))} that it was not "
        "fitted on"
    )
    line = ", ".join(facts)
    yield (
        f'<p class="muted">{capitalised(line)}. '
        f'<span class="date">{datetime.fromisoformat(manifest.created):%Y-%m-%d, %H:%M} UTC.'
        "</span></p>"
    )
    shown = main_figures(metrics, evaluation.signature.task)
    if isinstance(evaluation, Unmeasured):
        shown = {NOUNS[kind]: f"{metrics['rows']:,}", "labels": str(len(evaluation.words))}
    if isinstance(training.get("terms"), int):
        shown["terms"] = f"{training['terms']:,}"
    yield tiles({**shown, "artifact": _size(manifest.size)})
    seen = about_seen(metrics, kind)
    if seen:
        yield f'<p class="muted">{escape(capitalised(seen))}.</p>'


def _of(source: object) -> str:
    return f" of {escape(str(source))}" if source else ""


def _size(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
