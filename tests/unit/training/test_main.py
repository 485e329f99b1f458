"""The command line of training."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from training.__main__ import main

COMMANDS = ["train", "import", "publish", "list", "show", "rollback", "promote"]


@pytest.mark.parametrize("arguments", [[], *([command] for command in COMMANDS)])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each command has a `--help` with examples."""
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--help"])
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    assert "usage: python -m training" in printed
    if arguments:
        assert f"examples:\n  python -m training {arguments[0]}" in printed


def test_help_imports_no_library_of_training() -> None:
    """`--help` does not wait for scikit-learn, or for any other library that imports slowly."""
    program = (
        "import sys\n"
        "from training.__main__ import main\n"
        "try:\n"
        "    main(['train', '--help'])\n"
        "finally:\n"
        "    print(*sys.modules, file=sys.stderr)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )
    slow = {"boto3", "botocore", "datasets", "joblib", "matplotlib", "numpy", "scipy", "sklearn"}
    assert not slow & set(result.stderr.split())
    assert "training.commands.train" in result.stderr.split()


def test_training_prints_the_accuracy_and_the_report(
    sample_model: Path, sample_output: str
) -> None:
    """The output ends with the metrics, and with the path of the report."""
    assert "Accuracy 0." in sample_output
    assert str(sample_model / "report" / "index.html") in sample_output


def test_a_current_model_is_not_trained_again(
    sample_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --if-changed, a second training does nothing, and reports it."""
    before = (sample_model / "model.zip").stat().st_mtime_ns
    assert main(["train", "--output", str(sample_model), "--if-changed"]) == 0
    assert "✓ Model review is current" in capsys.readouterr().out
    assert (sample_model / "model.zip").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--data", "no/such.csv"], "there is no file no/such.csv"),
        (["train", "--test-size", "2"], "--test-size is 2.0"),
        (["train", "--test-size", "0.001", "--output", "no/such/folder"], "leaves too few"),
        (["train", "--name", "tickets"], "train --name tickets needs --data FILE: only review and"),
        (["train", "--labels", "stays"], "'stays' is not a pair"),
        (["train", "--leave-out", "a,,b"], "--leave-out a,,b has an empty name"),
        (["train", "--seed", "-1"], "--seed is -1"),
        (["train", "--seed", str(2**32)], "between 0 and 4294967295"),
        (["publish", "--model", __file__], "cannot be read: Not a directory"),
        (["publish", "--model", "no/such/folder"], "there is no model in no/such/folder"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake ends with status 2 and one line on standard error, without a traceback."""
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert len(error.splitlines()) == 1


def test_unknown_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that does not exist ends with status 2 and the usage."""
    with pytest.raises(SystemExit) as caught:
        main(["predict"])
    assert caught.value.code == 2
    assert "usage: python -m training" in capsys.readouterr().err


def test_a_recipe_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The error lists the recipes that exist."""
    with pytest.raises(SystemExit) as caught:
        main(["train", "--recipe", "secret"])
    assert caught.value.code == 2
    assert "best" in capsys.readouterr().err
