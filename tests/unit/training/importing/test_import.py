"""The command import: from a pipeline that was fitted elsewhere to a stored model."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from scripts.lib.project import ROOT
from sklearn_api.load import load_model
from tests.helpers.customers import HELD_OUT, TRAINED, churned, customers
from tests.helpers.steps import Shout
from training.__main__ import main
from training.folder import load

NUMBERS, WORDS = ["tenure", "charges", "calls"], ["plan", "region"]
Run = Callable[..., tuple[int, str]]


def table() -> Any:
    """A pipeline for the table of customers, with gaps and categories."""
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
            (OneHotEncoder(handle_unknown="ignore"), WORDS),
        ),
        LogisticRegression(),
    ).fit(customers()[[*NUMBERS, *WORDS]][TRAINED], churned()[TRAINED])


def tickets() -> Any:
    """A pipeline for texts, with three classes and no probabilities."""
    texts = ["my bill is wrong", "the invoice", "cannot log in", "my password", "it is slow"]
    teams = ["billing", "billing", "access", "access", "network"]
    return make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts * 4, teams * 4)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Held-out customers, in a csv file that has more columns than the pipeline needs."""
    frame = customers()[HELD_OUT].assign(churned=churned()[HELD_OUT], id=range(40))
    frame.to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path / "rows.csv"


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in a folder that stands for the project's; return status and output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("training.options.ROOT", tmp_path)

    def call(*arguments: str) -> tuple[int, str]:
        status = main(["import", *arguments])
        printed = capfd.readouterr()
        assert len(printed.err.splitlines()) <= 1
        return status, printed.out + printed.err

    return call


def served(folder: Path, *instances: Any) -> list[Any]:
    """Return the predictions of a stored model."""
    return load_model(load(folder)[1], 10**8).predict(instances)


@pytest.mark.parametrize("file", ["churn.joblib", "churn.skops", "churn.sav"])
def test_a_file_is_imported(file: str, rows: Path, run: Run, tmp_path: Path) -> None:
    """A file of any kind becomes the same model: measured, with a report, and served."""
    write = skops.io.dump if file.endswith(".skops") else joblib.dump
    write(table(), tmp_path / file)
    status, said = run(
        *(file, "--name", "leavers", "--data", str(rows), "--target", "churned"),
        *("--labels", "True=leaves,False=stays", "--trust-pickle"),
    )
    assert status == 0, said
    folder = tmp_path / ".local/model/leavers"
    manifest, _ = load(folder)
    expected = table().score(customers()[HELD_OUT], churned()[HELD_OUT])
    assert manifest.name == "leavers"
    assert manifest.metrics["accuracy"] == pytest.approx(expected, abs=1e-6)
    assert manifest.metrics["rows"] == 40
    assert manifest.training["pipeline"] == file
    assert [one["word"] for one in manifest.signature["labels"]] == ["stays", "leaves"]
    assert [one["name"] for one in manifest.signature["inputs"]] == [*NUMBERS, *WORDS]
    assert (folder / "report" / "index.html").exists()
    assert "./scripts/new leavers" in said
    assert "python -m training publish --name leavers --stage local" in said
    instance = {"tenure": 3, "charges": None, "calls": 2, "plan": "pro", "region": "north"}
    (found,) = served(folder, instance)
    frame = customers()[[*NUMBERS, *WORDS]].head(1).assign(**{**instance, "charges": float("nan")})
    assert found.probabilities == table().predict_proba(frame)[0].tolist()


def test_an_object_is_imported(rows: Path, run: Run, tmp_path: Path) -> None:
    """An object of a module in the current folder becomes a model."""
    (tmp_path / "a_shop.py").write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from tests.unit.training.importing.test_import import table\npipeline = table()\n"
    )
    status, said = run(
        "a_shop:pipeline", "--name", "leavers", "--data", str(rows), "--target", "churned"
    )
    assert status == 0, said
    assert load(tmp_path / ".local/model/leavers")[0].training["pipeline"] == "a_shop:pipeline"


@pytest.mark.parametrize("file", ["words.joblib", "words.skops"])
def test_code_of_ones_own_is_named(
    file: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipeline with code of one's own needs its names, which the manifest then has."""
    name = "tests.helpers.steps.Shout"
    pipeline = make_pipeline(Shout(), TfidfVectorizer(lowercase=False), LogisticRegression())
    pipeline.fit(["good film", "bad film"], [1, 0])
    (skops.io.dump if file.endswith(".skops") else joblib.dump)(pipeline, tmp_path / file)
    (tmp_path / "rows.csv").write_text("text,label\ngood one,1\nbad one,0\n")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    options = ["--trust-pickle", "--name", "words", "--data", "rows.csv", "--target", "label"]
    status, said = run(file, *options)
    assert status == 2
    assert name in said
    status, said = run(file, *options, "--own-code", name)
    assert status == 0, said
    manifest, content = load(tmp_path / ".local/model/words")
    assert manifest.training["own_code"] == [name]
    model = load_model(content, 10**8, own_code=[name])
    assert [one.value for one in model.predict(["good", "bad"])] == [1, 0]


def test_scores_are_calibrated(run: Run, tmp_path: Path) -> None:
    """A pipeline without probabilities gets some, if there are enough rows of each class."""
    joblib.dump(tickets(), tmp_path / "tickets.joblib")
    texts = {"billing": "a wrong bill", "access": "log in again", "network": "so slow"}
    lines = [f"{text} {n},{team}" for n in range(12) for team, text in texts.items()]
    (tmp_path / "tickets.csv").write_text("\n".join(["text,team", *lines]))
    status, said = run(
        *("tickets.joblib", "--trust-pickle", "--name", "tickets"),
        *("--data", "tickets.csv", "--target", "team"),
    )
    assert status == 0, said
    assert "each row is measured with one that was fitted on others" in " ".join(said.split())
    (found,) = served(tmp_path / ".local/model/tickets", "the bill is wrong")
    assert found.value == "billing"
    assert found.probabilities is not None
    assert sum(found.probabilities) == pytest.approx(1)


def test_a_pickle_needs_trust(rows: Path, run: Run, tmp_path: Path) -> None:
    """Without --trust-pickle, nothing of a pickle is run, and the error says what it could do."""
    (tmp_path / "bad.pkl").write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    status, said = run("bad.pkl", "--name", "leavers", "--data", str(rows))
    assert status == 2
    assert "bad.pkl is a pickle, and reading a pickle runs the code in it" in said
    assert "add --trust-pickle" in said
    assert not (tmp_path / "ran").exists()


def test_a_pickle_is_read_in_another_process(rows: Path, run: Run, tmp_path: Path) -> None:
    """Code in a trusted pickle runs, but not in this process; what it makes is checked."""
    code = "open('ran', 'w').write(str(__import__('os').getpid()))"
    (tmp_path / "own.pkl").write_bytes(f"cbuiltins\nexec\n(S{code!r}\ntR.".encode())
    status, said = run("own.pkl", "--trust-pickle", "--name", "leavers", "--data", str(rows))
    assert status == 2
    assert int((tmp_path / "ran").read_text()) != os.getpid()
    assert "error: own.pkl: NoneType is not a fitted estimator" in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: (TfidfVectorizer(), LinearSVC()), "a tuple of estimators is not a pipeline"),
        (lambda: make_pipeline(TfidfVectorizer(), LinearSVC()), "not fitted"),
    ],
)
def test_what_cannot_answer_is_refused(
    content: Callable[[], Any], message: str, rows: Path, run: Run, tmp_path: Path
) -> None:
    """The error says what the file holds, and nothing is stored."""
    joblib.dump(content(), tmp_path / "model.joblib")
    status, said = run("model.joblib", "--trust-pickle", "--name", "leavers", "--data", str(rows))
    assert status == 2
    assert message in said
    assert not (tmp_path / ".local").exists()


def test_a_process_that_dies_is_reported(rows: Path, run: Run, tmp_path: Path) -> None:
    """The error names the signal that has ended the process."""
    code = "__import__('os').kill(__import__('os').getpid(), 9)"
    (tmp_path / "own.pkl").write_bytes(f'cbuiltins\nexec\n(S"{code}"\ntR.'.encode())
    status, said = run("own.pkl", "--trust-pickle", "--name", "leavers", "--data", str(rows))
    assert status == 2
    assert "own.pkl was not imported: the process that was reading it ended with SIGKILL" in said


def test_ctrl_c_ends_both_processes(rows: Path, tmp_path: Path) -> None:
    """After Ctrl-C there is one line, the status is 130, and no process is left."""
    code = "open('pid', 'w').write(str(__import__('os').getpid())); __import__('time').sleep(60)"
    (tmp_path / "own.pkl").write_bytes(f'cbuiltins\nexec\n(S"{code}"\ntR.'.encode())
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "training", "import", "own.pkl", "--trust-pickle"),
            *("--name", "leavers", "--data", str(rows)),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert error == "stopped by Ctrl-C\n"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no/such.joblib", "--name", "leavers", "--data", "rows.csv"], "there is no file no/such.joblib"),
        (["my_market:pipeline", "--name", "leavers", "--data", "rows.csv"], "no module 'my_market'"),
        (["churn.skops", "--name", "leavers", "--data", "none.csv"], "there is no file none.csv"),
        (["churn.skops", "--name", "leavers", "--data", "rows.csv", "--target", "no"], "no column 'no'"),
        (["churn.skops", "--name", "leavers", "--data", "rows.csv", "--target", "note"], "classes are False, True"),
        (["churn.skops", "--name", "leavers", "--data", "rows.csv", "--labels", "0=a,1=b"], "False, True"),
        (["churn.skops", "--name", "leavers", "--data", "rows.csv", "--integers", "age"], "age"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("rows")
def test_mistakes_are_one_sentence(
    arguments: list[str], message: str, run: Run, tmp_path: Path
) -> None:
    """A mistake ends with status 2 and one line that names it."""
    skops.io.dump(table(), tmp_path / "churn.skops")
    status, said = run(*arguments)
    assert status == 2
    assert message in said
    assert re.search("^error: ", said, re.MULTILINE)
