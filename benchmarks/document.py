"""Writes the document ``docs/benchmarks.md`` and its plots."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.section import Section

_HEAD = """\
# Benchmarks

Written by

```sh
{command}
```

Do not edit. Figures differ from machine to machine and from hour to hour. Ratios are more reliable,
because whatever is compared took turns in one run. For time, memory and size, a ratio below 1 is
better; for requests per second, one above 1.
"""


def render(sections: Sequence[Section], facts: Mapping[str, str], command: str, plots: str) -> str:
    """Return the document's text.

    Parameters
    ----------
    sections : sequence of Section
        The sections, in order.
    facts : mapping
        Facts about the machine, the model and the run, by name.
    command : str
        The command that was run.
    plots : str
        The folder of the plots, relative to the document's.
    """
    parts = [_HEAD.format(command=command), "| | |\n| --- | --- |"]
    parts[-1] += "".join(f"\n| {name} | {value} |" for name, value in facts.items())
    for section in sections:
        parts += [f"## {section.title}", section.text.strip()]
        if section.failures:
            parts.append("**Not measured:**")
            parts.append(
                "\n".join(
                    f"- {name}: {_one_line(reason)}" for name, reason in section.failures.items()
                )
            )
        parts += [f"![{alt}]({plots}/{name}.svg)" for name, (_, alt) in section.plots.items()]
        parts += [table.markdown() for table in section.tables]
        if section.versions:
            lines = [f"- {name}: {version}" for name, version in section.versions.items()]
            parts += ["Versions:", "\n".join(lines)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def write(
    sections: Sequence[Section], facts: Mapping[str, str], command: str, folder: Path
) -> Path:
    """Write ``benchmarks.md`` and its plots to a folder; return the document's path."""
    plots = folder / "benchmarks"
    plots.mkdir(parents=True, exist_ok=True)
    for section in sections:
        for name, (figure, _) in section.plots.items():
            figure.savefig(plots / f"{name}.svg", metadata={"Date": None})
    path = folder / "benchmarks.md"
    temporary = path.with_suffix(".part")
    temporary.write_text(render(sections, facts, command, "benchmarks"))
    temporary.replace(path)
    return path


def today() -> str:
    """Return the date and the time in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _one_line(text: str) -> str:
    return " ".join(text.split())[:400]
