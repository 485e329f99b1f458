"""Artifacts that somebody has tampered with are harmless."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.lib.project import ROOT

EXAMPLES = 12_000 if os.environ.get("SOAK") else 3_000
SECONDS = 590


def start(last: Path, half: int) -> subprocess.Popen[str]:
    """Start a process that reads half of the artifacts."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.unit.sklearn_api.artifact.mutations",
            str(last),
            str(EXAMPLES // 2),
            f"--half={half}",
        ],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            # Each thread of a numeric library reserves address space, which counts as memory.
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            # If it is set, Hypothesis tries the same examples each time.
            **({"CI": "true"} if "CI" in os.environ else {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.timeout(600)
def test_no_mutation_crashes_hangs_fills_memory_or_runs_code(tmp_path: Path) -> None:
    """Thousands of changed artifacts raise an `ArtifactError`, or predict something.

    The changes are to bytes of the zip, members, values and types of the schema, and headers and
    numbers of arrays. The fifteen pipelines are linear, trees, neighbours, support vector machines,
    splines and imputers. An artifact that is accepted makes predictions. Each of the two processes that read
    them may take one gigabyte more than its libraries, and must not make system calls that only
    code in an artifact could cause.
    """
    files = [tmp_path / f"last-{half}.zip" for half in (0, 1)]
    processes = [start(last, half) for half, last in enumerate(files)]
    try:
        for last, process in zip(files, processes, strict=True):
            output, errors = process.communicate(timeout=SECONDS)
            assert process.returncode == 0, f"{last} is the last artifact tried\n{errors[-5000:]}"
            assert '"refused"' in output
            assert '"accepted"' in output
    finally:
        for process in processes:
            process.kill()
            process.wait()
