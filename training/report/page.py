"""The page: its style, and the order of its sections."""

from html import escape
from typing import Any

from sklearn_api.signature import TABLE
from training.artifact.manifest import Manifest
from training.evaluation import Evaluation
from training.report.figures import drawing
from training.report.importance import Importance, importance
from training.report.sections import explanation, facts, head, quality, worst

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
h1, p, h3, b {{ overflow-wrap: anywhere; }}
h2 {{ margin: 52px 0 4px; font-size: 1.3rem; letter-spacing: -0.01em; }}
h3 {{ margin: 0 0 2px; font-size: 1rem; }}
p {{ margin: 4px 0 16px; }}
.date {{ white-space: nowrap; }}
.muted, figcaption {{ color: var(--muted); }}
figcaption {{ font-size: 0.875rem; line-height: 1.45; margin-bottom: 10px; }}
.figures {{ display: grid; gap: 18px; grid-template-columns: minmax(0, 1fr); }}
.card {{ margin: 0; padding: 20px 22px; background: #fff; border: 1px solid var(--line);
  border-radius: 10px; min-width: 0; }}
.card svg {{ display: block; width: 100%; height: auto; }}
h2 + .figures, h2 + .card {{ margin-top: 14px; }}
.error {{ margin-bottom: 14px; }}
.scroll {{ overflow-x: auto; }}
.tiles {{ display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr));
  margin: 26px 0 14px; }}
.tile {{ padding: 14px 16px; background: #fff; border: 1px solid var(--line);
  border-radius: 10px; }}
.tile b {{ display: block; font-size: 1.6rem; line-height: 1.25; letter-spacing: -0.02em;
  font-variant-numeric: tabular-nums; white-space: nowrap; }}
.tile span {{ color: var(--muted); font-size: 0.875rem; }}
.positive {{ color: var(--positive); }} .negative {{ color: var(--negative); }}
.error header {{ display: flex; flex-wrap: wrap; gap: 4px 18px; align-items: baseline;
  justify-content: space-between; font-size: 0.9375rem; margin-bottom: 6px; }}
.text {{ white-space: pre-line; overflow-wrap: anywhere; margin: 0; }}
summary {{ cursor: pointer; color: var(--muted); }}
table {{ width: 100%; border-collapse: collapse; }}
th, td {{ padding: 7px 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }}
tbody tr:last-child > * {{ border-bottom: 0; }}
th {{ font-weight: 400; color: var(--muted); }}
.pairs th {{ width: 12rem; padding-right: 16px; }}
.data {{ font-size: 0.9375rem; font-variant-numeric: tabular-nums; }}
.data th, .data td {{ padding-right: 18px; overflow-wrap: normal; }}
.data td {{ max-width: 22rem; overflow-wrap: break-word; }}
.data th {{ white-space: nowrap; }}
.data th:last-child, .data td:last-child {{ padding-right: 0; }}
.data .number {{ text-align: right; white-space: nowrap; padding-right: 28px; }}
code, pre {{ font: 0.875rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono",
  monospace; }}
pre {{ overflow-x: auto; margin: 12px 0 0; }}
@media (min-width: 760px) {{ .figures {{ grid-template-columns: repeat(2, minmax(0, 1fr)); }}
  .full {{ grid-column: 1 / -1; }} }}
@media (max-width: 560px) {{ main {{ padding: 28px 14px 48px; }} .card {{ padding: 16px 14px; }}
  .pairs th, .pairs td {{ display: block; width: auto; padding: 7px 0 0; border: 0; }}
  .data th, .data td {{ padding-right: 14px; }} .data th {{ white-space: normal; }}
  .pairs td {{ padding: 0 0 7px; border-bottom: 1px solid var(--line); }} }}
@media print {{ body {{ background: #fff; }} .card, .tile {{ break-inside: avoid; }} }}
</style>
</head>
<body><main>
{body}
</main></body>
</html>
"""


def render(manifest: Manifest, evaluation: Evaluation, pipeline: Any) -> str:
    """Return a model's report as one HTML page.

    Parameters
    ----------
    manifest : Manifest
        Manifest of the model.
    evaluation : Evaluation
        The evaluation that `manifest.metrics` come from.
    pipeline : estimator
        The fitted pipeline that was evaluated.
    """
    found: Importance | str | None = None
    if evaluation.signature.kind == TABLE:
        found = importance(pipeline, evaluation)
    parts = [
        *head.parts(manifest, evaluation),
        *quality.parts(evaluation),
        *explanation.parts(evaluation, pipeline, found),
        *worst.parts(evaluation, found),
        *facts.inputs(evaluation.signature),
        *facts.manifest(manifest, pipeline),
    ]
    return _PAGE.format(
        title=escape(f"Model {manifest.name}, {manifest.created[:10]}"),
        body="\n".join(parts),
        ink=drawing.INK,
        muted=drawing.MUTED,
        grid=drawing.GRID,
        positive=drawing.POSITIVE,
        negative=drawing.NEGATIVE,
    )
