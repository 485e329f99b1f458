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
    """Prints steps as they end, with a spinner while they run where the output is a terminal.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)

    def say(self, line: str) -> None:
        """Print a line."""
        self._console.print(line, markup=False)

    def show(self, table: Table) -> None:
        """Print a table."""
        self._console.print(table)

    def warn(self, line: str) -> None:
        """Print what a person should know before trusting the model."""
        self._console.print(f"! {line}", markup=False, style="yellow")

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """Show a step; call what it yields with a word about the result."""
        begun = time.monotonic()
        result = "done"

        def done(text: str) -> None:
            nonlocal result
            result = text

        if self._console.is_terminal:
            with self._console.status(f"{title} …"):
                yield done
        else:
            self.say(f"• {title} …")
            yield done
        self.say(f"✓ {title}: {result} ({time.monotonic() - begun:.1f} s)")

    @contextmanager
    def progress(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a bar on a terminal; call what it yields with how much has been added."""
        if not self._console.is_terminal:
            self.say(f"• {title} …")
            yield lambda amount: None
            return
        with Progress(console=self._console, transient=True) as bar:
            task = bar.add_task(title, total=total)
            yield lambda amount: bar.advance(task, amount)

    def metrics(self, metrics: Mapping[str, Any]) -> None:
        """Print what was measured, as a table of true against predicted labels."""
        table = Table("", *(f"predicted {name}" for name in LABELS))
        for name, row in zip(LABELS, metrics["confusion"], strict=True):
            table.add_row(f"true {name}", *(f"{count:,}" for count in row))
        self._console.print(table)
        self.say(
            f"Accuracy {metrics['accuracy']:.4f}, F1 {metrics['f1']:.4f}, "
            f"ROC AUC {metrics['roc_auc']:.4f}, calibration error {metrics['ece']:.4f} on "
            f"{metrics['rows']:,} reviews of {metrics['source']} that it was not fitted on"
        )
