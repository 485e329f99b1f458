"""Detects changes in a function's folder, for LocalStack's `hot-reload` bucket."""

import os
from pathlib import Path

_IGNORED = frozenset({"__pycache__", ".git", ".venv", "node_modules", ".mypy_cache", ".ruff_cache"})

State = frozenset[tuple[str, int, int]]


def state(folder: Path) -> State:
    """Return path, time of modification (ns) and size of every file in a folder.

    Links to folders are followed, once each: a function may be assembled from them.
    """
    found: set[tuple[str, int, int]] = set()
    seen: set[tuple[int, int]] = set()
    pending = [str(folder)]
    while pending:
        try:
            entries = list(os.scandir(pending.pop()))
        except OSError:  # It has been removed in the meantime.
            continue
        for entry in entries:
            try:
                facts = entry.stat()
                if not entry.is_dir():
                    found.add((entry.path, facts.st_mtime_ns, facts.st_size))
                elif entry.name not in _IGNORED and (facts.st_dev, facts.st_ino) not in seen:
                    seen.add((facts.st_dev, facts.st_ino))
                    pending.append(entry.path)
            except OSError:
                continue
    return frozenset(found)
