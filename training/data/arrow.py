"""Reads parquet files, and data sets of the Hugging Face hub, with `datasets`."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from training.data.files import File
from training.data.table import Select, Table, selected
from training.errors import TrainingError

_INDEX = "__index_level_"  # how pandas names the columns of an index


def read_parquet(file: File, select: Select) -> Table:
    """Read columns of a parquet file.

    Raises
    ------
    TrainingError
        The file cannot be read.
    """
    from pyarrow import ArrowException, parquet

    with _datasets(offline=True) as (datasets, _), file.path.open("rb") as source:
        try:
            opened = parquet.ParquetFile(source)
            present = [n for n in opened.schema_arrow.names if not n.startswith(_INDEX)]
            names = selected(select, present, file.name)
            table = opened.read(columns=names)
            # Class labels are numbers, and their names are in the schema.
            features = datasets.Features.from_arrow_schema(table.schema)
            columns = {
                name: _named(table.column(name).to_pylist(), features[name]) for name in names
            }
        # A damaged file raises errors of many types.
        except (ArrowException, OSError, ValueError, KeyError, NotImplementedError) as exc:
            reason = " ".join(str(exc).split())[:200]
            raise TrainingError(f"{file.path} cannot be read as parquet: {reason}") from exc
    return Table(columns, file.name)


def read_hub(name: str, revision: str, split: str, select: Select) -> Table:
    """Read columns of a split of a data set on the hub.

    Raises
    ------
    TrainingError
        It cannot be downloaded, or cannot be read.
    """
    with _datasets(offline=False) as (datasets, cache):
        try:
            loaded = datasets.load_dataset(name, revision=revision, split=split, cache_dir=cache)
        # The network, the hub and the parsers raise errors of many types.
        except Exception as exc:
            reason = " ".join(str(exc).split())[:200]
            raise TrainingError(
                f"{name} could not be downloaded from the hub ({type(exc).__name__}: {reason}); "
                "is the network reachable? A local csv, jsonl or parquet file needs no network: "
                "--data PATH"
            ) from exc
        names = selected(select, loaded.column_names, name)
        columns = {
            column: _named(list(loaded[column]), loaded.features[column]) for column in names
        }
    return Table(columns, name)


def _named(values: list[Any], feature: Any) -> list[Any]:
    """Return values, with the names of class labels instead of their numbers."""
    if not hasattr(feature, "int2str"):
        return values
    # A row without a label is None, or -1 by convention.
    return [None if value in (None, -1) else feature.int2str(value) for value in values]


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
