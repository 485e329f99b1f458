"""`save_model`: from a notebook or a script to a stored model."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from scripts.lib.project import ROOT
from sklearn_api.load import load_model
from tests.helpers.customers import HELD_OUT, TRAINED, churned, customers, prices
from training.errors import TrainingError
from training.folder import load
from training.save import save_model
from training.terminal import Terminal

NUMBERS, WORDS = ["tenure", "charges", "calls"], ["plan", "region"]
TEXTS = [f"{word} {number % 7}" for number in range(60) for word in ("bill", "login", "slow")]
TEAMS = ["billing", "access", "network"] * 60


def columns() -> Any:
    return make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
        (OneHotEncoder(handle_unknown="ignore"), WORDS),
    )


def rows(part: slice) -> Any:
    return customers()[[*NUMBERS, *WORDS]][part]


def churn() -> Any:
    return make_pipeline(columns(), LogisticRegression()).fit(rows(TRAINED), churned()[TRAINED])


class Output:
    """What `save_model` prints."""

    def __init__(self) -> None:
        self.console = Console(record=True, width=200, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123 - nobody reads it
        self.terminal = Terminal(self.console)

    def text(self) -> str:
        return self.console.export_text(clear=False)


@pytest.fixture
def output() -> Output:
    return Output()


def predictions(folder: Path, *instances: Any) -> list[Any]:
    return load_model(load(folder)[1], 10**8).predict(instances)


def test_a_table_is_saved(tmp_path: Path, output: Output) -> None:
    """A pipeline with named columns becomes a model that answers as it does, gaps included."""
    pipeline = churn()
    saved = save_model(
        pipeline,
        rows(HELD_OUT),
        churned()[HELD_OUT],
        name="leavers",
        labels={False: "stays", True: "leaves"},
        integers="tenure",
        folder=tmp_path / "model",
        terminal=output.terminal,
    )
    assert saved.folder == tmp_path / "model"
    assert saved.report.is_file()
    assert saved.manifest == load(saved.folder)[0]
    score = pipeline.score(rows(HELD_OUT), churned()[HELD_OUT])
    assert saved.manifest.metrics["accuracy"] == pytest.approx(score, abs=1e-6)
    assert [one.word for one in saved.signature.labels] == ["stays", "leaves"]
    assert {one.name: one.type for one in saved.signature.inputs}["tenure"] == "integer"
    instance = {"tenure": 3, "charges": None, "calls": 2, "plan": "new", "region": "north"}
    frame = rows(HELD_OUT).head(1).assign(**{**instance, "charges": np.nan})
    (found,) = predictions(saved.folder, instance)
    assert found.probabilities == pipeline.predict_proba(frame)[0].tolist()
    said = output.text()
    assert "if the pipeline was not fitted on these rows; nothing here can tell" in said
    assert "./scripts/new leavers" in said
    assert f"python -m training publish --name leavers --model {saved.folder}" in said


def test_a_notebook_shows_it(tmp_path: Path, output: Output) -> None:
    """The result shows name, task, the main metric, inputs, words, and a link to the report."""
    frame = rows(HELD_OUT).rename(columns={"plan": "<plan>"})
    pipeline = make_pipeline(
        make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["<plan>"])),
        LogisticRegression(),
    ).fit(frame[["<plan>"]], churned()[HELD_OUT])
    saved = save_model(
        pipeline,
        frame[["<plan>"]],
        churned()[HELD_OUT],
        name="leavers",
        folder=tmp_path,
        terminal=output.terminal,
    )
    assert f"<Model leavers: binary, accuracy {saved.manifest.metrics['accuracy']:.4f}" in repr(
        saved
    )
    html = saved._repr_html_()
    assert "&lt;plan&gt;" in html
    assert f'href="{saved.report.as_uri()}"' in html
    assert "false, true" in html


def test_texts_without_probabilities_get_some(tmp_path: Path, output: Output) -> None:
    """Scores of three classes are calibrated on the given rows."""
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(TEXTS, TEAMS)
    series = pd.Series(TEXTS, name="subject")
    saved = save_model(
        pipeline, series, TEAMS, name="tickets", folder=tmp_path, terminal=output.terminal
    )
    assert [one.name for one in saved.signature.inputs] == ["subject"]
    (found,) = predictions(tmp_path, "the bill")
    assert found.value == "billing"
    assert sum(found.probabilities) == pytest.approx(1)
    assert saved.manifest.metrics["calibration"] is not None
    assert "each row is measured with one that was fitted on others" in output.text()


def test_too_few_rows_give_no_probabilities(tmp_path: Path, output: Output) -> None:
    """A calibration needs ten rows of each class; without one, there are no probabilities."""
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(TEXTS, TEAMS)
    saved = save_model(
        pipeline, TEXTS[:24], TEAMS[:24], name="tickets", folder=tmp_path, terminal=output.terminal
    )
    assert predictions(tmp_path, "the bill")[0].probabilities is None
    assert saved.manifest.metrics["calibration"] is None
    assert "10 rows of each class are needed; there are 8 of the rarest" in output.text()


def test_numbers_are_saved(tmp_path: Path, output: Output) -> None:
    """A regression is measured by its R²."""
    forest = make_pipeline(columns(), RandomForestRegressor(20, random_state=0))
    forest.fit(rows(TRAINED), prices()[TRAINED])
    saved = save_model(
        forest,
        rows(HELD_OUT),
        prices()[HELD_OUT],
        name="prices",
        folder=tmp_path,
        terminal=output.terminal,
    )
    assert saved.manifest.metrics["r2"] > 0.5
    assert "a number" in saved._repr_html_()


def test_several_labels_are_saved(tmp_path: Path, output: Output) -> None:
    """The columns of the targets name the labels."""
    names = ["billing", "access", "network"]
    targets = pd.DataFrame({name: [int(team == name) for team in TEAMS] for name in names})
    pipeline = make_pipeline(TfidfVectorizer(), OneVsRestClassifier(LogisticRegression()))
    pipeline.fit(TEXTS, targets.to_numpy())
    saved = save_model(
        pipeline, TEXTS, targets, name="tags", folder=tmp_path, terminal=output.terminal
    )
    assert saved.signature.task == "multilabel"
    assert [one.word for one in saved.signature.labels] == names
    assert saved.manifest.metrics["micro_f1"] == 1


def test_clusters_need_no_targets(tmp_path: Path, output: Output) -> None:
    """A model without targets is stored without metrics of how right it is."""
    clusters = KMeans(3, random_state=0, n_init=1).fit(customers()[["tenure", "calls"]])
    saved = save_model(
        clusters,
        customers()[["tenure", "calls"]],
        name="segments",
        folder=tmp_path,
        terminal=output.terminal,
    )
    assert saved.signature.task == "cluster"
    assert "accuracy" not in saved.manifest.metrics


def test_film_reviews_keep_their_field_and_words(tmp_path: Path, output: Output) -> None:
    """A model called `review` fits its endpoint: the field and the words are the endpoint's."""
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(["good", "bad"], [1, 0])
    saved = save_model(
        pipeline, ["good", "bad"], [1, 0], name="review", folder=tmp_path, terminal=output.terminal
    )
    assert [one.name for one in saved.signature.inputs] == ["review_text"]
    assert [one.word for one in saved.signature.labels] == ["Negative Review", "Positive Review"]


def test_a_script_may_run_anywhere(tmp_path: Path) -> None:
    """With the project's folder on sys.path, a model is stored in that folder, wherever one is."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("training", "sklearn_api", "requirements"):
        (project / name).symlink_to(ROOT / name)
    script = (
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from sklearn.dummy import DummyClassifier\n"
        "import pandas as pd\n"
        "from training import save\n"
        f"save.ROOT = save.Path({str(project)!r})\n"
        "frame = pd.DataFrame({'x': range(10)})\n"
        "model = DummyClassifier().fit(frame, [0, 1] * 5)\n"
        "print(repr(save.save_model(model, frame, [0, 1] * 5, name='nothing')))\n"
    )
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "script.py").write_text(script)
    result = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path / "elsewhere",
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    folder = project / ".local" / "model" / "nothing"
    assert load(folder)[0].name == "nothing"
    assert f"in {folder}>" in result.stdout
    assert list((tmp_path / "elsewhere").iterdir()) == [tmp_path / "elsewhere" / "script.py"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "My Model"}, "not a valid name of a model.*such as my-model"),
        ({"pipeline": (1, 2)}, "a tuple"),
        ({"pipeline": LogisticRegression}, "is a class"),
        ({"labels": {"no": "stays", "yes": "leaves"}}, "the words do not fit the pipeline"),
        ({"targets": ["yes"] * 40}, "'yes'"),
        ({"targets": [True] * 3}, "3 targets for 40 rows"),
        ({"integers": ["age"]}, "age"),
        ({"field": "text"}, "field"),
        ({"rows": []}, "no rows"),
    ],
)
def test_mistakes_are_named(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    """Each mistake is an error of one sentence, and nothing is stored."""
    arguments: dict[str, Any] = {
        "pipeline": churn(),
        "rows": rows(HELD_OUT),
        "targets": churned()[HELD_OUT],
        "name": "leavers",
        "folder": tmp_path / "model",
        "terminal": Output().terminal,
        **changes,
    }
    with pytest.raises(TrainingError, match=message):
        save_model(**arguments)
    assert not (tmp_path / "model").exists()
