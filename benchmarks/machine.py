"""Describes the machine that the benchmark runs on."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from scripts.lib.project import ROOT


def load_average() -> str:
    """Return the load average: the mean number of running processes in 1, 5 and 15 minutes."""
    means = os.getloadavg()
    shared = "; other programs ran at the same time" if means[1] > 1 else ""
    return ", ".join(f"{mean:.1f}" for mean in means) + shared


def describe() -> dict[str, str]:
    """Return processor, cores, memory, system and versions, by name."""
    processor = _field(Path("/proc/cpuinfo"), "model name") or platform.machine()
    memory = _field(Path("/proc/meminfo"), "MemTotal") or "0 kB"
    return {
        "processor": f"{processor}, {os.cpu_count()} cores",
        "memory": f"{int(memory.split()[0]) * 1024 / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "scikit-learn": version("scikit-learn"),
        "commit": commit(),
    }


def commit() -> str:
    """Return the commit of the sources, with ``-dirty`` if they differ from it."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.strip() or "unknown"


def _field(path: Path, name: str) -> str:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
