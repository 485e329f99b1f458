"""Prints steps, progress, warnings and tables on the terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from sklearn_api.signature import Signature
from training.artifact.manifest import Manifest
from training.metric_tables import class_table, confusion_table
from training.metrics import NOUNS, amount, capitalised, main_figures


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

    def print_metrics(self, manifest: Manifest) -> None:
        """Print a model's main metrics, and those of its classes if they are not too many."""
        metrics, signature = manifest.metrics, Signature.from_dict(manifest.signature)
        noun = NOUNS[signature.kind]
        by_class = metrics.get("classes") or metrics.get("labels")
        if by_class:
            self.print_table(class_table(by_class, noun))
        elif metrics.get("confusion"):
            words = [one.word for one in signature.labels]
            self.print_table(confusion_table(metrics["confusion"], words))
        rows = f"{metrics['rows']:,} {noun}" + (
            f" of {metrics['source']}" if metrics.get("source") else ""
        )
        if "predicted" in metrics:
            counts = ", ".join(f"{word} {amount(n)}" for word, n in metrics["predicted"].items())
            self.print_line(f"Predicted for {rows}: {counts}")
            return
        figures = ", ".join(
            f"{title} {value}" for title, value in main_figures(metrics, signature.task).items()
        )
        self.print_line(f"{capitalised(figures)} on {rows} that the model was not fitted on")
