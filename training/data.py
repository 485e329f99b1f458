"""Reads labelled reviews with Hugging Face `datasets`, from the hub or from a local file.

`datasets` reads csv, jsonl, json and parquet, and all of them but parquet compressed. The rows are
checked here, so that training never starts on unusable data.
"""

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import TrainingError

SAMPLE = Path(__file__).parent / "sample" / "reviews.csv"
# Commits, and not branches or tags, which can move: the fingerprint of a model names its data.
PINNED = {"stanfordnlp/imdb": "e6281661ce1c48d982bc483cf8a173c1bbeb5d31"}
MIN_ROWS = 20
MIN_OF_EACH = 5

TEXT_COLUMNS = ("text", "review_text", "review", "movie_text", "sentence", "content")
LABEL_COLUMNS = ("label", "labels", "sentiment", "target", "class")
_WORDS = {
    **dict.fromkeys(("0", "0.0", "neg", "negative", "false", "bad"), 0),
    **dict.fromkeys(("1", "1.0", "pos", "positive", "true", "good"), 1),
}
_BUILDERS = {"csv": "csv", "tsv": "csv", "jsonl": "json", "json": "json", "parquet": "parquet"}
_COMPRESSIONS = ("gz", "bz2", "xz", "zst", "zip")


@dataclass(frozen=True)
class Reviews:
    """Texts with labels.

    Attributes
    ----------
    texts : list of str
        Shape ``(n,)``.
    labels : list of int
        Shape ``(n,)``, each 0 (negative) or 1 (positive).
    source : str
        File name, or id of the data set on the hub.
    revision : str
        SHA-256 of the file, or commit of the data set.
    columns : tuple of str
        Names of the text column and of the label column.
    """

    texts: list[str]
    labels: list[int]
    source: str
    revision: str
    columns: tuple[str, str]


def read(
    source: str | None = None,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    revision: str | None = None,
    split: str = "train",
) -> Reviews:
    """Read reviews and check that a model can be trained on them.

    Parameters
    ----------
    source : str, optional
        A file, or the id of a data set on the hub. Default: the sample reviews.
    text_column, label_column : str, optional
        Default: the first of `TEXT_COLUMNS` and of `LABEL_COLUMNS` that exists.
    revision : str, optional
        Commit of a data set on the hub. Default: its commit in `PINNED`.
    split : str
        Split of a data set on the hub.

    Raises
    ------
    TrainingError
        The source cannot be read, or no model can be trained on it; the message says why.
    """
    path = Path(source) if source else SAMPLE
    if path.exists() or _looks_like_a_path(str(path)):
        if revision:
            raise TrainingError(f"--revision applies to data sets on the hub, but {path} is a file")
        rows, name, found_revision = _read_file(path), path.name, _sha256(path)
    else:
        name = str(source)
        found_revision = revision or PINNED.get(name) or ""
        if not found_revision:
            raise TrainingError(
                f"{name} is not a file, and a data set on the hub needs --revision, the commit to "
                f"train on (not needed for {', '.join(PINNED)})"
            )
        rows = _read_hub(name, found_revision, split)
    text = _column(rows, text_column, TEXT_COLUMNS, "text", name)
    label = _column(rows, label_column, LABEL_COLUMNS, "label", name)
    texts = _texts(rows[text], text, name)
    labels = _labels(rows, label, name)
    _check(texts, labels, name)
    return Reviews(texts, labels, name, found_revision, (text, label))


def identity(source: str | None, revision: str | None) -> str:
    """Return what identifies data: the SHA-256 of a file, or a data set's id and commit."""
    file = Path(source) if source else SAMPLE
    if file.exists():
        return _sha256(file)
    return f"{source}@{revision or PINNED.get(str(source), '')}"


def _looks_like_a_path(source: str) -> bool:
    """Return whether a source means a file: hub ids are ``owner/name`` without a file extension."""
    parts = Path(source).name.lower().split(".")
    return (
        source.startswith((".", "/", "~", "\\"))
        or source.count("/") != 1
        or parts[-1] in _BUILDERS
        or parts[-1] in _COMPRESSIONS
    )


def _read_file(path: Path) -> Any:
    if not path.exists():
        raise TrainingError(f"there is no file {path}")
    if path.is_dir():
        raise TrainingError(f"{path} is a folder; name a csv, jsonl, json or parquet file")
    parts = path.name.lower().split(".")
    compressed = parts.pop() if parts[-1] in _COMPRESSIONS else None
    extension = parts[-1] if len(parts) > 1 else ""
    builder = _BUILDERS.get(extension)
    if builder is None or (builder == "parquet" and compressed):
        raise TrainingError(
            f"{path.name} has no supported type; supported are csv, tsv, jsonl and json, also "
            f"compressed ({', '.join(_COMPRESSIONS)}), and uncompressed parquet"
        )
    if path.stat().st_size == 0:
        raise TrainingError(f"{path} is empty")
    options: dict[str, Any] = {}
    if builder == "csv":
        # A review whose text is "null" is not a missing one.
        options = {"keep_default_na": False, "sep": "\t" if extension == "tsv" else ","}
    with _datasets(offline=True) as (datasets, cache):
        try:
            loaded = datasets.load_dataset(
                builder,
                data_files={"train": str(path.absolute())},
                split="train",
                cache_dir=cache,
                **options,
            )
            return _in_memory(loaded)
        # The parsers of four formats and five compressions raise errors of many types.
        except Exception as exc:
            cause = exc.__cause__ or exc
            reason = " ".join(str(cause).split())[:200]
            raise TrainingError(f"{path} cannot be read as {extension}: {reason}") from exc


def _read_hub(name: str, revision: str, split: str) -> Any:
    with _datasets(offline=False) as (datasets, cache):
        try:
            loaded = datasets.load_dataset(name, revision=revision, split=split, cache_dir=cache)
            return _in_memory(loaded)
        # The network, the hub and the parsers raise errors of many types.
        except Exception as exc:
            reason = " ".join(str(exc).split())[:200]
            raise TrainingError(
                f"{name} could not be downloaded from the hub ({type(exc).__name__}: {reason}); "
                "is the network reachable? A local csv, jsonl or parquet file needs no network: "
                "--data PATH"
            ) from exc


def _in_memory(loaded: Any) -> dict[str, list[Any]]:
    """Return a data set's columns, with class labels as names."""
    columns: dict[str, list[Any]] = {name: list(loaded[name]) for name in loaded.column_names}
    for name, feature in loaded.features.items():
        if hasattr(feature, "int2str"):
            columns[name] = [feature.int2str(value) for value in columns[name]]
    return columns


@contextmanager
def _datasets(*, offline: bool) -> Iterator[tuple[Any, str]]:
    """Import `datasets` for one use: quiet, without telemetry, and with a temporary cache.

    Offline, it does not use the network: otherwise `datasets` looks up hosts even for local files.
    """
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import datasets
    import huggingface_hub.constants

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    before = (datasets.config.HF_HUB_OFFLINE, huggingface_hub.constants.HF_HUB_OFFLINE)
    if offline:
        datasets.config.HF_HUB_OFFLINE = huggingface_hub.constants.HF_HUB_OFFLINE = True
    try:
        with tempfile.TemporaryDirectory(prefix="datasets-", ignore_cleanup_errors=True) as cache:
            yield datasets, cache
    finally:
        datasets.config.HF_HUB_OFFLINE, huggingface_hub.constants.HF_HUB_OFFLINE = before


def _column(
    rows: dict[str, list[Any]], wanted: str | None, usual: Sequence[str], kind: str, name: str
) -> str:
    present = ", ".join(rows) or "none"
    if wanted is not None:
        if wanted not in rows:
            raise TrainingError(f"{name} has no column '{wanted}'; it has: {present}")
        return wanted
    lower = {column.lower(): column for column in rows}
    for candidate in usual:
        if candidate in lower:
            return lower[candidate]
    raise TrainingError(
        f"{name} has no {kind} column with a usual name ({', '.join(usual)}); it has: {present}. "
        f"Name the column with --{kind}-column"
    )


def _texts(values: list[Any], column: str, name: str) -> list[str]:
    for number, value in enumerate(values, 1):
        if not isinstance(value, str) or not value.strip():
            kind = "empty" if value is None or isinstance(value, str) else "not a text"
            raise TrainingError(
                f"row {number} of {name} is {kind} in column '{column}'; every row needs a text"
            )
    return values


def _labels(rows: dict[str, list[Any]], column: str, name: str) -> list[int]:
    values = [str(value).strip().lower() for value in rows[column]]
    unknown = Counter(values).keys() - _WORDS.keys()
    if unknown:
        shown = ", ".join(repr(value) for value in sorted(unknown)[:5])
        more = " and others" if len(unknown) > 5 else ""
        raise TrainingError(
            f"column '{column}' of {name} contains {shown}{more}; labels are 0 and 1, or words "
            "such as negative and positive, neg and pos"
        )
    return [_WORDS[value] for value in values]


def _check(texts: list[str], labels: list[int], name: str) -> None:
    if len(texts) < MIN_ROWS:
        raise TrainingError(f"{name} has {len(texts)} rows; at least {MIN_ROWS} are needed")
    counts = Counter(labels)
    if min(counts[0], counts[1]) < MIN_OF_EACH:
        raise TrainingError(
            f"{name} has {counts[0]} negative and {counts[1]} positive reviews; "
            f"at least {MIN_OF_EACH} of each are needed"
        )


def _sha256(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
