"""A section of the benchmark: text, tables and plots; and the formatting of figures."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure
from rich.markup import escape
from rich.table import Table as RichTable


@dataclass(frozen=True)
class Table:
    """A table of strings. All columns except the first hold numbers."""

    columns: list[str]
    rows: list[list[str]]

    def rich(self) -> RichTable:
        """Return the table for the console."""
        drawn = RichTable()
        for at, column in enumerate(self.columns):
            drawn.add_column(column, justify="right" if at else "left")
        for row in self.rows:
            drawn.add_row(*map(escape, row))
        return drawn

    def markdown(self) -> str:
        """Return the table for the document."""
        rules = ["---", *["--:"] * (len(self.columns) - 1)]
        rows = [self.columns, rules, *self.rows]
        return "\n".join("| " + " | ".join(row) + " |" for row in rows)


@dataclass(frozen=True)
class Section:
    """A section of the document.

    Attributes
    ----------
    name, title : str
        The name on the command line, and the heading.
    text : str
        What was measured, and how to read the tables.
    tables : list of Table
        At least one table.
    plots : mapping
        Figures and their alternative texts, by the name of their file.
    failures : mapping
        Reasons why something was not measured, by its name.
    versions : mapping
        Versions of the contenders, by their names.
    """

    name: str
    title: str
    text: str
    tables: list[Table]
    plots: Mapping[str, tuple[Figure, str]] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


def milliseconds(seconds: float) -> str:
    """Return a time with three significant digits: ``0.123``, ``1.23``, ``12.3``, ``123``."""
    value = seconds * 1e3
    digits = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}"


def megabytes(count: float) -> str:
    """Return bytes as MB (10⁶)."""
    value = count / 1e6
    return f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def times(ratio: float) -> str:
    """Return a ratio: ``0.055 ×``, ``0.55 ×``, ``55 ×``."""
    digits = 3 if ratio < 0.1 else 2 if ratio < 10 else 0
    return f"{ratio:,.{digits}f} ×"


def paired_ratio(values: Sequence[float], base: Sequence[float]) -> float:
    """Return the median of the ratios of all rounds.

    Other load on the machine affects both sides of a round's ratio. The ratio of two medians would
    compare different rounds.

    Parameters
    ----------
    values, base : sequence of float
        One value for each round, in the same order.
    """
    return statistics.median(one / other for one, other in zip(values, base, strict=True))
