"""Prints steps, progress, warnings and tables on the terminal."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from sklearn_api.utils import LABELS


class Terminal:
    """Prints what a command does: a line when a step ends, a spinner or a bar while it runs.

    Spinners and bars are drawn on a terminal only; a file gets a line when a step starts.

    Parameters
    ----------
    console : rich.console.Console, optional
        Default: standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)

    def print_line(self, line: str) -> None:
        """Print a line."""
        self._console.print(line, markup=False)

    def print_table(self, table: Table) -> None:
        """Print a table."""
        self._console.print(table)

    def warn(self, line: str) -> None:
        """Print what a person should know before trusting the model."""
        self._console.print(f"! {line}", markup=False, style="yellow")

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """Show a step; the yielded function sets the result that its last line reports."""
        started = time.monotonic()
        result = "done"

        def done(text: str) -> None:
            nonlocal result
            result = text

        if self._console.is_terminal:
            with self._console.status(f"{title} …"):
                yield done
        else:
            self.print_line(f"• {title} …")
            yield done
        self.print_line(f"✓ {title}: {result} ({time.monotonic() - started:.1f} s)")

    @contextmanager
    def progress(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a progress bar; the yielded function advances it by an amount."""
        if not self._console.is_terminal:
            self.print_line(f"• {title} …")
            yield lambda amount: None
            return
        with Progress(console=self._console, transient=True) as bar:
            task = bar.add_task(title, total=total)
            yield lambda amount: bar.advance(task, amount)

    def print_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Print a model's confusion matrix and its main metrics."""
        table = Table("", *(f"predicted {name}" for name in LABELS))
        for name, row in zip(LABELS, metrics["confusion"], strict=True):
            table.add_row(f"true {name}", *(f"{count:,}" for count in row))
        self.print_table(table)
        self.print_line(
            f"Accuracy {metrics['accuracy']:.4f}, F1 {metrics['f1']:.4f}, "
            f"ROC AUC {metrics['roc_auc']:.4f}, calibration error {metrics['ece']:.4f} on "
            f"{metrics['rows']:,} reviews of {metrics['source']} that the model was not fitted on"
        )
