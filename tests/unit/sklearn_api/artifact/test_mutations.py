"""Artifacts that somebody has tampered with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.lib.project import ROOT

EXAMPLES = 3000


@pytest.mark.timeout(600)
def test_no_mutation_crashes_hangs_fills_the_memory_or_runs(tmp_path: Path) -> None:
    """Thousands of changed artifacts are refused in words, or predict something.

    What is changed: bytes of the zip, members, the schema's values and types, the headers and
    numbers of arrays; twelve pipelines, linear, of trees, of neighbours and of support vectors.
    Each is read with a matching sha256, and asked for predictions when it is accepted. The process
    that does it may take one gigabyte more than its libraries, and no system call that only code
    could make.
    """
    last = tmp_path / "last.zip"
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.unit.sklearn_api.artifact.mutations",
            str(last),
            str(EXAMPLES),
        ],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            # Each thread of a numeric library would reserve addresses that count as memory.
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            # Where it is set, Hypothesis tries the same each time.
            **({"CI": "true"} if "CI" in os.environ else {}),
        },
        capture_output=True,
        text=True,
        timeout=590,
        check=False,
    )
    assert result.returncode == 0, f"{last} holds the last one tried\n{result.stderr[-5000:]}"
    assert '"refused"' in result.stdout
    assert '"accepted"' in result.stdout
