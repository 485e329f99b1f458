"""A model of the sample reviews, which the tests of training share."""

import contextlib
import io
from pathlib import Path

import pytest

from training.__main__ import main


@pytest.fixture(scope="session")
def _trained_sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("sample-model")
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        assert main(["train", "--output", str(folder), "--if-changed"]) == 0
    return folder, output.getvalue()


@pytest.fixture(scope="session")
def sample_model(_trained_sample: tuple[Path, str]) -> Path:
    """The folder of a model that the command line trained on the sample reviews; read only."""
    return _trained_sample[0]


@pytest.fixture(scope="session")
def sample_output(_trained_sample: tuple[Path, str]) -> str:
    """The output of that training."""
    return _trained_sample[1]
