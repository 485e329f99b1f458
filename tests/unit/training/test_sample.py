"""The samples that come with the project."""

import subprocess
import sys

from scripts.lib.project import ROOT

SAMPLE = ROOT / "training" / "sample"


def test_the_program_makes_the_customers_that_are_there() -> None:
    """customers.csv is what customers.py writes: nobody has edited it, and nobody is real."""
    made = subprocess.check_output([sys.executable, str(SAMPLE / "customers.py")])
    assert made == (SAMPLE / "customers.csv").read_bytes()
