"""Tables of versions and manifests, 80 columns wide."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import Any

from rich import box
from rich.table import Table

from sklearn_api.store import Pointer
from training.artifact.manifest import Manifest
from training.errors import TrainingError
from training.registry import Registry, Version

WIDTH = 80
_READERS = 8  # threads that read manifests


def versions_table(registry: Registry, versions: Sequence[Version]) -> Table:
    """Return a table of versions, with figures from their manifests."""
    table = Table(box=box.SIMPLE_HEAD, width=WIDTH, padding=(0, 1))
    table.add_column("", width=1)
    table.add_column("Version", no_wrap=True)
    table.add_column("Published (UTC)", no_wrap=True)
    for title in ("Accuracy", "Rows", "Size"):
        table.add_column(title, justify="right", no_wrap=True)
    found = registry.pointer()
    served = found[0].version if found else None
    with ThreadPoolExecutor(_READERS) as pool:
        rows = pool.map(lambda version: _row(registry, version), versions)
        for version, row in zip(versions, rows, strict=True):
            style = "bold" if version.name == served else None
            table.add_row("●" if version.name == served else "", *row, style=style)
    table.caption = "● served" if served else "no version is served"
    table.caption_justify = "left"
    return table


def _row(registry: Registry, version: Version) -> tuple[str, str, str, str, str]:
    if version.published is None:
        return version.name, "interrupted", "", "", _bytes(version.size)
    published = version.published.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    try:
        manifest = registry.manifest(version.name)
    except TrainingError:
        return version.name, published, "damaged", "", _bytes(version.size)
    accuracy = manifest.metrics.get("accuracy")
    rows = manifest.training.get("rows")
    return (
        version.name,
        published,
        f"{accuracy:.4f}" if isinstance(accuracy, float) else "",
        f"{rows:,}" if isinstance(rows, int) else "",
        _bytes(version.size),
    )


def manifest_tables(manifest: Manifest, served: Pointer | None) -> list[Table]:
    """Return three tables of a version: its facts and whether it is served, training, metrics.

    The first column of each table is only as wide as its names, so that a digest fits on a line.
    """
    libraries = ", ".join(f"{name} {version}" for name, version in manifest.libraries.items())
    facts = {
        "Model": manifest.name,
        "Version": manifest.version,
        "Served": _served(manifest, served),
        "Trained": manifest.created,
        "Git revision": manifest.git_revision or "unknown",
        "Input field": manifest.input_field,
        "Labels": ", ".join(f"{i} {label}" for i, label in enumerate(manifest.labels)),
        "Artifact": f"{_bytes(manifest.size)}, format {manifest.format}",
        "Served by": _form(manifest),
        "SHA-256": manifest.sha256,
        "Trained with": f"Python {manifest.python}, {libraries}",
    }
    return [
        _pairs(None, facts),
        _pairs("Training", manifest.training),
        _pairs("Metrics", manifest.metrics),
    ]


def _pairs(title: str | None, values: Mapping[str, Any]) -> Table:
    table = Table(
        title=title and f"\n{title}",
        title_style="bold",
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_header=False,
    )
    table.add_column("", style=None if title else "bold", no_wrap=True)
    table.add_column("", overflow="fold")
    for name, value in values.items():
        table.add_row(name, _text(value))
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
