"""What a source is: the sample, a file, or a data set of the hub; and how each of them is read."""

import hashlib
from dataclasses import replace
from pathlib import Path

from training.data.arrow import read_hub, read_parquet
from training.data.delimited import read_delimited
from training.data.files import COMPRESSIONS, TYPES, find_file
from training.data.json_files import read_json
from training.data.table import Select, Table, all_columns
from training.errors import TrainingError
from training.options import EXAMPLES, MODEL_NAME

SAMPLE = EXAMPLES[MODEL_NAME].data
# Commits, and not branches or tags, which can move: the fingerprint of a model names its data.
PINNED = {"stanfordnlp/imdb": "e6281661ce1c48d982bc483cf8a173c1bbeb5d31"}


def read_table(
    source: str | None = None,
    select: Select = all_columns,
    *,
    revision: str | None = None,
    split: str = "train",
    encoding: str | None = None,
    separator: str | None = None,
) -> Table:
    """Read columns of a file, or of a data set on the hub.

    Parameters
    ----------
    source : str, optional
        A file, or the id of a data set on the hub. Default: the sample reviews.
    select : Select
        Chooses the columns to read; see `named_columns`. Default: all of them.
    revision : str, optional
        Commit of a data set on the hub. Default: its commit in `PINNED`.
    split : str
        Split of a data set on the hub.
    encoding : str, optional
        Encoding of a csv, tsv, jsonl or json file. Default: UTF-8, or what its byte order mark
        says.
    separator : str, optional
        What separates the fields of a csv or tsv file. Default: what the first rows show.

    Raises
    ------
    TrainingError
        The source cannot be read without doubt; the message says where and why.
    """
    path = Path(source) if source else SAMPLE
    if not is_file(source):
        name = str(source)
        commit = revision or PINNED.get(name) or ""
        if not commit:
            raise TrainingError(
                f"{name} is not a file, and a data set on the hub needs --revision, the commit to "
                f"train on (not needed for {', '.join(PINNED)})"
            )
        _refuse_format(name, "a data set on the hub", encoding=encoding, separator=separator)
        return replace(read_hub(name, commit, split, select), revision=commit)
    if revision:
        raise TrainingError(f"--revision applies to data sets on the hub, but {path} is a file")
    file = find_file(path)
    if file.type in ("csv", "tsv"):
        table = read_delimited(file, select, encoding=encoding, separator=separator)
    elif file.type == "parquet":
        _refuse_format(file.name, "a parquet file", encoding=encoding, separator=separator)
        table = read_parquet(file, select)
    else:
        _refuse_format(file.name, f"a {file.type} file", separator=separator)
        table = read_json(file, select, encoding=encoding)
    return replace(table, revision=_sha256(path))


def identity(source: str | None, revision: str | None) -> str:
    """Return what identifies data: the SHA-256 of a file, or a data set's id and commit."""
    file = Path(source) if source else SAMPLE
    if file.exists():
        return _sha256(file)
    return f"{source}@{revision or PINNED.get(str(source), '')}"


def is_file(source: str | None) -> bool:
    """Return whether a source is a file, or looks like the path of one that is missing.

    Ids of data sets on the hub are ``owner/name``, without an extension.
    """
    if not source or Path(source).exists():
        return True
    parts = Path(source).name.lower().split(".")
    return (
        source.startswith((".", "/", "~", "\\"))
        or source.count("/") != 1
        or parts[-1] in TYPES
        or parts[-1] in COMPRESSIONS
    )


def has_format(source: str | None, option: str) -> bool:
    """Return whether a source has an `option`: an ``encoding``, or a ``separator``."""
    if not is_file(source):
        return False
    parts = Path(source or SAMPLE).name.lower().split(".")
    types = {"csv", "tsv"} if option == "separator" else TYPES.keys() - {"parquet"}
    return not types.isdisjoint(parts[1:]) or parts[-1] == "zip"


def _refuse_format(name: str, kind: str, **options: str | None) -> None:
    for option, value in options.items():
        if value is not None:
            raise TrainingError(f"--{option} does not apply to {name}, which is {kind}")


def _sha256(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
