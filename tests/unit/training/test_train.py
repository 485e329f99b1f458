"""Training: measured, repeatable, and skipped when nothing has changed."""

import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest
from rich.console import Console
from sklearn.metrics import r2_score

from sklearn_api.calibration import Sigmoid
from sklearn_api.load import load_model, load_sklearn_model
from sklearn_api.signature import Label, Signature
from tests.helpers.customers import churned, classes, customers, prices
from tests.helpers.tickets import priced_tickets, tagged_tickets, tickets
from training.artifact.frames import instances_of
from training.artifact.write import as_stored
from training.data import Table
from training.data.table import Select
from training.dataset import Dataset, read_dataset
from training.errors import TrainingError
from training.folder import load
from training.options import EXAMPLES, Options
from training.recipes.texts import RECIPES, Recipe
from training.search import GRIDS, Result, search
from training.terminal import Terminal
from training.train import current, train

QUIET = Terminal(Console(quiet=True))


@pytest.fixture
def options(sample_model: Path) -> Options:
    """The options of the model that was trained on the sample."""
    return Options(output=sample_model)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training without the report, which takes a second to draw."""
    monkeypatch.setattr("training.assemble.render", lambda *arguments: "<html>")


@pytest.fixture(scope="module")
def other_process(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of each recipe, trained on the sample by another process."""
    folder = tmp_path_factory.mktemp("other-process")
    program = (
        "import sys\n"
        "from training.__main__ import main\n"
        "for recipe in sys.argv[2:]:\n"
        "    folder = f'{sys.argv[1]}/{recipe}'\n"
        "    assert main(['train', '--recipe', recipe, '--output', folder]) == 0\n"
    )
    command = [sys.executable, "-c", program, str(folder), *RECIPES]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


def test_a_model_is_stored_with_its_manifest(options: Options) -> None:
    """The manifest describes data, versions and metrics, and the artifact predicts."""
    manifest, content = load(options.output)
    assert manifest.name == "review"
    assert manifest.size == len(content)
    assert manifest.training["rows"] == 454
    assert manifest.training["source"] == "reviews.csv"
    signature = Signature.from_dict(manifest.signature)
    assert (signature.kind, signature.task) == ("text", "binary")
    assert [one.name for one in signature.inputs] == ["review_text"]
    assert [*signature.labels] == [(0, "Negative Review"), (1, "Positive Review")]
    assert manifest.metrics["accuracy"] > 0.75
    assert sum(map(sum, manifest.metrics["confusion"])) == manifest.metrics["rows"] == 91
    assert manifest.libraries["scikit-learn"]
    assert manifest.training["recipe"] == "article"
    assert manifest.training["parameters"]["C"] == 1.0
    assert manifest.training["search"] is None
    assert {"precision", "recall", "f1", "roc_auc", "ece", "brier"} < manifest.metrics.keys()
    model = load_sklearn_model(content, 10**9)
    pipeline = model.pipeline
    assert manifest.training["terms"] == len(pipeline[0].vocabulary_)
    assert isinstance(model.calibration, Sigmoid)
    assert as_stored(model.calibration) == manifest.metrics["calibration"]
    assert 0.5 < model.calibration.probability(1.0) < 1
    assert pipeline.predict(["I love this movie", "I hate this movie"]).tolist() == [1, 0]
    assert not list(options.output.glob(".*")), "no temporary file is left"


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("recipe", RECIPES)
def test_the_same_training_gives_the_same_artifact(
    options: Options, other_process: Path, tmp_path: Path, recipe: str
) -> None:
    """Data, recipe and seed determine the bytes, in every process; another seed gives others."""
    here = train(replace(options, output=tmp_path / "here", recipe=recipe), QUIET)
    assert load(other_process / recipe)[0].sha256 == here.sha256
    other = train(replace(options, output=tmp_path / "other", recipe=recipe, seed=1), QUIET)
    assert other.sha256 != here.sha256


@pytest.mark.usefixtures("undrawn")
def test_a_search_uses_only_the_reviews_to_fit_on(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held-out reviews take no part in a search, and the variant that it finds is trained."""
    grid = {"longest": (1,), "min_df": (1,), "C": (0.5,)}
    monkeypatch.setitem(cast(dict[str, object], GRIDS), "article", grid)
    seen: list[Dataset] = []

    def watched(recipe: Recipe, reviews: Dataset, *rest: Any) -> Result:
        seen.append(reviews)
        return search(recipe, reviews, *rest)

    monkeypatch.setattr("training.fit.search", watched)
    manifest = train(replace(options, output=tmp_path, search=True), QUIET)
    assert [len(reviews) for reviews in seen] == [454 - 91]
    assert manifest.training["parameters"]["C"] == 0.5
    assert len(manifest.training["search"]["candidates"]) == 1
    assert current(replace(options, output=tmp_path, search=True)) is not None
    assert current(replace(options, output=tmp_path)) is None


def warnings_in(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("!")]


def warnings(options: Options) -> list[str]:
    """Train, and return the warnings."""
    output = io.StringIO()
    train(options, Terminal(Console(file=output, width=400)))
    return warnings_in(output.getvalue())


def test_a_rare_label_gives_a_warning(options: Options, tmp_path: Path, sample_output: str) -> None:
    """Below a fifth, accuracy says little, so the share is reported; balanced data are fine."""
    data = tmp_path / "data.csv"
    rows = [f"fine story {n},1\n" for n in range(90)] + [f"awful mess {n},0\n" for n in range(10)]
    data.write_text("text,label\n" + "".join(rows))
    (warning,) = warnings(replace(options, output=tmp_path, source=str(data)))
    assert "only 10.0% of data.csv has the class 0" in warning
    assert warnings_in(sample_output) == []


def test_test_reviews_from_the_training_data_give_a_warning(
    options: Options, tmp_path: Path
) -> None:
    """The warning counts them, and gives the accuracy without them."""
    data, test = tmp_path / "data.csv", tmp_path / "test.csv"
    rows = [f"a fine story {n},1\nan awful mess {n},0\n" for n in range(20)]
    data.write_text("text,label\n" + "".join(rows))
    new = ["good fine,1\n", "awful bad,1\n"] + ["a fine film,1\n", "an awful one,0\n"] * 10
    test.write_text("text,label\n" + "".join(rows[:2] + new))
    named = replace(options, output=tmp_path, source=str(data), test_source=str(test))
    (warning,) = warnings(named)
    assert "4 of the texts that the model was measured on are also among those" in warning
    metrics = load(tmp_path)[0].metrics
    assert metrics["rows_seen"] == 4
    assert metrics["accuracy"] == pytest.approx(25 / 26, abs=1e-6)
    assert metrics["accuracy_unseen"] == pytest.approx(21 / 22, abs=1e-6)
    assert f"accuracy without them: {metrics['accuracy_unseen']:.4f}" in warning


def test_scores_without_information_give_a_warning(options: Options, tmp_path: Path) -> None:
    """When held-out reviews contradict the model, its probability is reported to be constant."""
    data = tmp_path / "data.csv"
    # Each word occurs once with each label: held-out reviews contradict those that were fitted.
    rows = [f"word{n} film,1\nword{n} film,0\n" for n in range(20)]
    data.write_text("text,label\n" + "".join(rows))
    named = replace(options, output=tmp_path, source=str(data), recipe="article")
    assert any("say nothing about texts" in warning for warning in warnings(named))
    assert load(tmp_path)[0].metrics["calibration"]["slope"] == 0


@pytest.mark.filterwarnings("error")
def test_texts_without_spaces_give_a_warning(options: Options, tmp_path: Path) -> None:
    """The warning names the recipe to choose, which gets none; no font complains of the script."""
    data = tmp_path / "chinese.csv"
    good, bad = ["物流很快包装完好", "质量很好非常满意"], ["包装破损物流太慢", "质量太差非常失望"]
    rows = [f"{x}{end},1\n" for x in good for end in "了哦啊呢吧"]
    rows += [f"{x}{end},0\n" for x in bad for end in "了哦啊呢吧"]
    data.write_text("text,label\n" + "".join(rows))
    named = replace(options, output=tmp_path, source=str(data), recipe="article")
    (warning,) = [line for line in warnings(named) if "spaces" in line]
    assert "chinese.csv have no spaces between words" in warning
    assert "choose --recipe characters" in warning
    assert "物流很快包装完好" in (tmp_path / "report/index.html").read_text()
    assert warnings(replace(named, recipe="characters")) == []
    assert load(tmp_path)[0].metrics["accuracy"] == 1.0


@pytest.mark.usefixtures("undrawn")
def test_how_a_file_was_read_is_printed(options: Options, tmp_path: Path) -> None:
    """The separator that was recognised, and the rows that were left out, each of them once."""
    data = tmp_path / "data.csv"
    data.write_text("text;label\n;1\n" + "I love it;1\nI hate it;0\n" * 10)
    output = io.StringIO()
    named = replace(options, output=tmp_path, source=str(data), test_source=str(data))
    train(replace(named, drop_empty=True), Terminal(Console(file=output, width=400)))
    lines = output.getvalue().splitlines()
    assert lines.count("  the fields of data.csv are separated by semicolons") == 1
    assert lines.count("  1 of 21 rows of data.csv are left out: 1 without a text") == 1


@pytest.mark.usefixtures("undrawn")
def test_test_data_may_be_of_another_type(options: Options, tmp_path: Path) -> None:
    """Encoding and separator apply to test data where their type has them."""
    data, test = tmp_path / "data.csv", tmp_path / "test.jsonl"
    data.write_bytes(b"text;label\n" + "I love cafés;1\nI hate it;0\n".encode("cp1252") * 10)
    rows = '{"text": "I love cafés", "label": 1}\n{"text": "I hate it", "label": 0}\n' * 10
    test.write_bytes(rows.encode("cp1252"))
    named = replace(options, output=tmp_path / "model", source=str(data), test_source=str(test))
    manifest = train(replace(named, encoding="cp1252", separator=";"), QUIET)
    assert manifest.metrics["source"] == "test.jsonl"
    assert manifest.metrics["rows_seen"] == 20


def test_a_current_model_is_recognised(options: Options, tmp_path: Path) -> None:
    """The stored model is current for the same options, and for no others."""
    assert current(options) is not None
    assert current(replace(options, seed=1)) is None
    assert current(replace(options, test_size=0.3)) is None
    assert current(replace(options, recipe="best")) is None
    assert current(replace(options, encoding="cp1252")) is None
    assert current(replace(options, separator=";")) is None
    assert current(replace(options, drop_empty=True)) is None
    assert current(replace(options, search_backend="dask")) is not None
    assert current(replace(options, output=tmp_path)) is None


def test_a_damaged_model_is_not_current(options: Options, tmp_path: Path) -> None:
    """A model that cannot be loaded is trained again."""
    (tmp_path / "manifest.json").write_bytes((options.output / "manifest.json").read_bytes())
    (tmp_path / "model.zip").write_bytes(b"cut")
    assert current(replace(options, output=tmp_path)) is None


@pytest.mark.usefixtures("undrawn")
def test_a_model_is_measured_on_test_data(options: Options, tmp_path: Path) -> None:
    """With test data, all reviews are fitted on, and the metrics come from the test data."""
    data = tmp_path / "test.csv"
    data.write_text("text,label\n" + "I love it,1\nI hate it,0\n" * 10)
    manifest = train(replace(options, output=tmp_path, test_source=str(data)), QUIET)
    assert (manifest.metrics["rows"], manifest.metrics["source"]) == (20, "test.csv")


@pytest.mark.usefixtures("undrawn")
def test_named_columns_apply_to_the_test_data_too(options: Options, tmp_path: Path) -> None:
    """The reviews to measure on have the same column names as those to fit on."""
    odd = tmp_path / "odd.csv"
    odd.write_text("words,verdict\n" + "I love it,1\nI hate it,0\n" * 10)
    named = replace(options, output=tmp_path, source=str(odd), test_source=str(odd))
    manifest = train(replace(named, text_column="words", target="verdict"), QUIET)
    assert manifest.training["columns"] == ["words"]
    assert manifest.training["target"] == "verdict"
    assert manifest.metrics["rows"] == 20


@pytest.mark.parametrize("test_size", [0.001, 0.999])
def test_too_few_reviews_on_one_side_are_refused(
    options: Options, tmp_path: Path, test_size: float
) -> None:
    """A share that leaves no review of each label to fit or to measure on is an error."""
    with pytest.raises(TrainingError, match=f"--test-size {test_size} of 454 rows"):
        train(replace(options, output=tmp_path, test_size=test_size), QUIET)


def test_reviews_without_words_are_refused(options: Options, tmp_path: Path) -> None:
    """Texts with nothing to learn from are an error that names their file."""
    data = tmp_path / "dots.csv"
    data.write_text("text,label\n" + "...,1\n...,0\n" * 20)
    with pytest.raises(TrainingError, match=r"dots\.csv: empty vocabulary"):
        train(replace(options, output=tmp_path / "model", source=str(data)), QUIET)
    assert not (tmp_path / "model").exists()


@pytest.mark.usefixtures("undrawn")
def test_too_few_reviews_of_a_label_to_calibrate_are_measured_without_probabilities(
    options: Options, tmp_path: Path
) -> None:
    """A single review of a label cannot be both fitted on and held out."""
    data = tmp_path / "data.csv"
    rows = [f"bad {n},0\n" for n in range(40)] + [f"good {n},1\n" for n in range(5)]
    data.write_text("text,label\n" + "".join(rows))
    named = replace(options, output=tmp_path, source=str(data), test_size=0.8)
    metrics = train(named, QUIET).metrics
    assert metrics["accuracy"] > 0.8
    assert metrics["brier"] is None


DESK = Options(name="desk", target="y")
FRAMES: dict[str, tuple[Options, Callable[[], Any]]] = {
    "several classes": (DESK, lambda: texts_with(tickets()[1])),
    "several labels": (
        replace(DESK, label_separator="|"),
        lambda: texts_with(joined(tagged_tickets()[1]), tagged_tickets()[0]),
    ),
    "numbers": (DESK, lambda: texts_with(priced_tickets()[1])),
    "a table": (DESK, lambda: customers().drop(columns="note").assign(y=classes())),
    "a table, boosted": (
        replace(DESK, recipe="boosting"),
        lambda: customers().drop(columns="note").assign(y=churned()),
    ),
    "prices": (DESK, lambda: customers().drop(columns="note").assign(y=prices())),
}


def texts_with(targets: Any, texts: list[str] | None = None) -> Any:
    return pd.DataFrame({"text": texts or tickets()[0], "y": targets})


def joined(indicators: Any) -> list[str]:
    """Return several labels of each row as a file has them."""
    return [
        "|".join(name for name, one in zip("abc", row, strict=True) if one) for row in indicators
    ]


@pytest.mark.parametrize("name", FRAMES)
def test_every_task_is_learned_measured_and_stored(tmp_path: Path, name: str) -> None:
    """What is stored answers as the pipeline does, and is good on rows that were held out."""
    options, frame = FRAMES[name]
    data = tmp_path / "data.csv"
    frame().to_csv(data, index=False)
    named = replace(options, source=str(data), output=tmp_path)
    manifest = train(named, QUIET)
    assert manifest.name == "desk"
    dataset = read_dataset(named)
    model = load_model(load(tmp_path)[1], 10**9)
    assert (model.signature.kind, model.signature.task) == (dataset.kind, dataset.task)
    assert tuple(one.name for one in model.signature.inputs) == dataset.columns
    words = [one.word for one in model.signature.labels]
    assert words == [str(one) for one in dataset.classes]
    rows = dataset.rows
    if dataset.kind == "table":
        rows = instances_of(dataset.rows)
        assert all(one.nullable for one in model.signature.inputs)
    answers = model.predict(rows)
    if dataset.task == "regression":
        assert r2_score(dataset.targets, [one.value for one in answers]) > 0.8
    elif dataset.task == "multilabel":
        known = [[number for number, bit in enumerate(row) if bit] for row in dataset.targets]
        right = [one.value == labels for one, labels in zip(answers, known, strict=True)]
        assert sum(right) > 0.8 * len(right)
    else:
        assert all(len(one.probabilities or ()) == len(dataset.classes) for one in answers)
        right = [one.value == y for one, y in zip(answers, dataset.targets, strict=True)]
        assert sum(right) > 0.8 * len(right)
    assert manifest.training["target"] == "y"
    assert current(named) is not None
    assert current(replace(named, leave_out=("tenure",))) is None


@pytest.mark.usefixtures("undrawn")
def test_clients_see_what_the_options_say(options: Options, tmp_path: Path) -> None:
    """Words for the classes, and columns that hold a whole number, are part of the signature."""
    named = replace(
        options,
        name="churn",
        output=tmp_path,
        source=str(EXAMPLES["churn"].data),
        target="churned",
        labels={"no": "stays", "yes": "leaves"},
        integers=("tenure",),
        leave_out=("region",),
    )
    manifest = train(named, QUIET)
    signature = Signature.from_dict(manifest.signature)
    assert manifest.name == "churn"
    assert (signature.kind, signature.task) == ("table", "binary")
    assert signature.labels == (Label("no", "stays"), Label("yes", "leaves"))
    types = {one.name: (one.type, one.nullable) for one in signature.inputs}
    assert types["tenure"] == ("integer", False)
    assert types["support_calls"] == ("number", True)
    assert "region" not in types
    assert current(named) is not None
    assert current(replace(named, labels={})) is None
    assert current(replace(named, integers=())) is None


@pytest.mark.usefixtures("undrawn")
def test_several_labels_may_have_words(options: Options, tmp_path: Path) -> None:
    """The labels of a row are answered as they are written, or with the words given for them."""
    data = tmp_path / "tags.csv"
    both = [f"bill and login {n},billing|access\n" for n in range(10)]
    one = [f"bill {n},billing\nlogin {n},access\nslow {n},network\n" for n in range(10)]
    data.write_text("text,tags\n" + "".join(both + one))
    named = replace(
        options,
        name="tags",
        output=tmp_path,
        source=str(data),
        target="tags",
        label_separator="|",
        recipe="article",
    )
    manifest = train(named, QUIET)
    signature = Signature.from_dict(manifest.signature)
    assert [one.name for one in signature.inputs] == ["text"]
    assert [one.word for one in signature.labels] == ["access", "billing", "network"]
    named = replace(named, labels={"access": "Access", "billing": "Billing", "network": "Network"})
    words = [one["word"] for one in train(named, QUIET).signature["labels"]]
    assert words == ["Access", "Billing", "Network"]
    with pytest.raises(TrainingError, match="sales"):
        train(replace(named, labels={"sales": "Sales"}), QUIET)


@pytest.mark.usefixtures("undrawn")
def test_a_model_is_not_current_for_changed_data(options: Options, tmp_path: Path) -> None:
    """The content of the data file counts, not its name."""
    data = tmp_path / "data.csv"
    data.write_text("text,label\n" + "I love it,1\nI hate it,0\n" * 10)
    named = replace(options, output=tmp_path, source=str(data))
    train(named, QUIET)
    assert current(named) is not None
    data.write_text(data.read_text() + "great,1\n")
    assert current(named) is None


@pytest.mark.usefixtures("undrawn")
def test_a_folder_that_cannot_be_written_is_reported(options: Options, tmp_path: Path) -> None:
    """When the model cannot be stored, the error is one sentence."""
    data = tmp_path / "data.csv"
    data.write_text("text,label\n" + "I love it,1\nI hate it,0\n" * 10)
    with pytest.raises(TrainingError, match=r"data\.csv/below cannot be written: Not a directory"):
        train(replace(options, source=str(data), output=data / "below"), QUIET)


@pytest.mark.usefixtures("undrawn")
def test_a_data_set_on_the_hub_is_measured_on_its_test_split(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data come from the train split and test data from the test split, of the same commit."""
    requested: list[tuple[str, str]] = []

    def read_hub(name: str, revision: str, split: str, select: Select) -> Table:
        requested.append((revision, split))
        assert set(select(["text", "label"], name)) == {"text", "label"}
        texts, labels = [f"{split} {n}" for n in range(20)], [n % 2 for n in range(20)]
        return Table({"text": texts, "label": labels}, name)

    monkeypatch.setattr("training.data.source.read_hub", read_hub)
    hub = replace(
        options, output=tmp_path, source="some/reviews", test_source="some/reviews", revision="c0"
    )
    train(hub, QUIET)
    assert requested == [("c0", "train"), ("c0", "test")]
