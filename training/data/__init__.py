"""Reads data to train on: a file, or a data set of the Hugging Face hub.

`read_table` reads any source as named columns, `training.data.frame` makes a pandas DataFrame of
them, and `training.data.targets` says what is to be predicted. Strings stay as they are written,
only the columns that are asked for are read, and what cannot be read without doubt is refused: an
error names the row, and says what to do.
"""

from training.data.checks import LABEL_COLUMNS, TEXT_COLUMNS
from training.data.labels import Label, Labels, joined_by, labels_as_read
from training.data.source import PINNED, SAMPLE, has_format, identity, read_table
from training.data.table import Table, all_columns, named_columns

__all__ = [
    "LABEL_COLUMNS",
    "PINNED",
    "SAMPLE",
    "TEXT_COLUMNS",
    "Label",
    "Labels",
    "Table",
    "all_columns",
    "has_format",
    "identity",
    "joined_by",
    "labels_as_read",
    "named_columns",
    "read_table",
]
