"""Tables of versions and manifests, 80 columns wide."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from sklearn_api.signature import Signature
from sklearn_api.store import Pointer
from training import description
from training.artifact.manifest import Manifest
from training.errors import TrainingError
from training.metric_tables import WIDTH, class_table
from training.metrics import NOUNS, TITLES, capitalised, headline, share, text_of
from training.registry import Registry, Version

_READERS = 8  # threads that read manifests
_OF_CLASSES = ("classes", "labels")  # metrics with a row for each class
_WIDTHS: tuple[dict[str, Any], ...] = (  # of the columns of inputs
    {"max_width": 26}, {}, {}, {"ratio": 3}, {"ratio": 2},
)  # fmt: skip
_TITLE: dict[str, Any] = {"title_style": "bold", "title_justify": "left"}


def versions_table(registry: Registry, versions: Sequence[Version]) -> Table:
    """Return a table of versions, with figures from their manifests.

    Versions of the same task have the title of their most important metric in the header; the
    others have it beside the value.
    """
    found = registry.pointer()
    served = found[0].version if found else None
    with ThreadPoolExecutor(_READERS) as pool:
        rows = [*pool.map(lambda version: _row(registry, version), versions)]
    titles = {title for _, title, *_ in rows if title}
    same = len(titles) == 1
    table = Table(box=box.SIMPLE_HEAD, width=WIDTH, padding=(0, 1 if same else 0))
    table.add_column("", width=1)
    table.add_column("Version", no_wrap=True)
    table.add_column("Published (UTC)", no_wrap=True)
    measured = capitalised(titles.pop()) if same else "Measured"
    for title in (measured, "Rows", "Size"):
        table.add_column(title, justify="right", no_wrap=True)
    for version, (published, title, value, *rest) in zip(versions, rows, strict=True):
        figure = value if same else f"{title} {value}".strip()
        style = "bold" if version.name == served else None
        mark = "●" if version.name == served else ""
        table.add_row(mark, version.name, published, figure, *rest, style=style)
    table.caption = "● served" if served else "no version is served"
    table.caption_justify = "left"
    return table


def _row(registry: Registry, version: Version) -> tuple[str, str, str, str, str]:
    """Return when a version was published, title and value of a metric, rows, and size."""
    size = _bytes(version.size)
    if version.published is None:
        return "interrupted", "", "", "", size
    published = version.published.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    try:
        manifest = registry.manifest(version.name)
    except TrainingError:
        return published, "", "damaged", "", size
    title, value = headline(manifest.metrics) or ("", None)
    rows = manifest.training.get("rows")
    return (
        published,
        title,
        share(value) if title else "",
        f"{rows:,}" if isinstance(rows, int) else "",
        size,
    )


def manifest_tables(manifest: Manifest, served: Pointer | None) -> list[Table]:
    """Return the tables of a version: its facts, its signature, its training, its metrics.

    The first column of tables of pairs is only as wide as its names, so that a digest fits on a
    line.
    """
    signature = Signature.from_dict(manifest.signature)
    libraries = ", ".join(f"{name} {version}" for name, version in manifest.libraries.items())
    facts = {
        "Model": manifest.name,
        "Version": manifest.version,
        "Served": _served(manifest, served),
        "Trained": manifest.created,
        "Git revision": manifest.git_revision or "unknown",
        "Predicts": description.purpose(signature),
        "Labels": description.labels(signature),
        "Artifact": f"{_bytes(manifest.size)}, format {manifest.format}",
        "Served by": _form(manifest),
        "SHA-256": manifest.sha256,
        "Trained with": f"Python {manifest.python}, {libraries}",
    }
    metrics = {
        TITLES.get(name, name): text_of(name, value)
        if name in TITLES and isinstance(value, float)
        else value
        for name, value in manifest.metrics.items()
        if name not in (*_OF_CLASSES, "confusion")
        or (name == "confusion" and len(value or ()) == 2)
    }
    tables = [
        _pairs(None, {name: value for name, value in facts.items() if value}),
        _inputs(signature),
        _pairs("Training", manifest.training),
        _pairs("Metrics", metrics),
    ]
    of_classes = [manifest.metrics[name] for name in _OF_CLASSES if name in manifest.metrics]
    return [*tables, *(class_table(one, NOUNS[signature.kind]) for one in of_classes)]


def _inputs(signature: Signature) -> Table:
    """Return the inputs of a signature, without the columns that say nothing."""
    table = Table(
        title="\nInputs", **_TITLE, box=box.SIMPLE_HEAD, width=WIDTH, padding=(0, 1, 0, 0)
    )
    rows = description.inputs(signature)
    filled = [
        number for number in range(len(description.COLUMNS)) if any(row[number] for row in rows)
    ]
    for number in filled:
        table.add_column(description.COLUMNS[number], overflow="fold", **_WIDTHS[number])
    for row in rows:
        table.add_row(*(Text(row[number]) for number in filled))
    return table


def _pairs(title: str | None, values: Mapping[str, Any]) -> Table:
    table = Table(
        title=title and f"\n{title}",
        **_TITLE,
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_header=False,
    )
    table.add_column("", style=None if title else "bold", no_wrap=True)
    table.add_column("", overflow="fold")
    for name, value in values.items():
        table.add_row(name, Text(_text(value)))
    return table


def _form(manifest: Manifest) -> str:
    if manifest.form == "compiled":
        return "plain Python (its compiled form)"
    reason = f": {manifest.not_compiled}" if manifest.not_compiled else ""
    return f"scikit-learn{reason}"


def _served(manifest: Manifest, served: Pointer | None) -> str:
    if served and served.version == manifest.version:
        return f"since {served.published}"
    return "no" + (f" ({served.version} is)" if served else "")


def _text(value: Any) -> str:
    """Return a value of a manifest as text; other versions of the code may store other values."""
    match value:
        case None:
            return "none"
        case bool() | str():
            return str(value)
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4f}"
        case Mapping():
            return ", ".join(f"{name} {_text(part)}" for name, part in value.items())
    return json.dumps(value, ensure_ascii=False)


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"
