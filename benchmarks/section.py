"""What sections hand over: tables and plots; and how figures are put into words."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure
from rich.markup import escape
from rich.table import Table as RichTable


@dataclass(frozen=True)
class Table:
    """Cells as texts; all columns but the first are numbers."""

    columns: list[str]
    rows: list[list[str]]

    def rich(self) -> RichTable:
        """Return it for the console."""
        drawn = RichTable()
        for at, column in enumerate(self.columns):
            drawn.add_column(column, justify="right" if at else "left")
        for row in self.rows:
            drawn.add_row(*map(escape, row))
        return drawn

    def markdown(self) -> str:
        """Return it for the document."""
        rules = ["---", *["--:"] * (len(self.columns) - 1)]
        rows = [self.columns, rules, *self.rows]
        return "\n".join("| " + " | ".join(row) + " |" for row in rows)


@dataclass(frozen=True)
class Section:
    """One part of the document.

    Attributes
    ----------
    name, title : str
        For the command line, and for people.
    text : str
        What was measured, and how to read it.
    tables : list of Table
        At least one.
    plots : mapping
        Figures by the name of their file, each with the text for those who do not see it.
    failures : mapping
        What was not measured, and why.
    versions : mapping
        Of what took part.
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
    """Return the median of the ratios of each round.

    What disturbs a round disturbs both sides of its ratio; the ratio of two medians would compare
    one round with another.

    Parameters
    ----------
    values, base : sequence of float
        One of each round, in their order.
    """
    return statistics.median(one / other for one, other in zip(values, base, strict=True))
