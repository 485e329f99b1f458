"""Training: measured, stored as a whole, and used again when nothing has changed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from sklearn_api.artifact import read_artifact
from training.console import Report
from training.errors import TrainingError
from training.train import Options, current, load, train

QUIET = Report(Console(quiet=True))


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Options:
    """A model trained on the sample."""
    made = Options(source=None, output=tmp_path_factory.mktemp("model"))
    train(made, QUIET)
    return made


def test_a_model_is_stored_with_all_that_is_known_about_it(options: Options) -> None:
    """The manifest names data, versions and metrics, and the artifact predicts."""
    manifest, content = load(options.output)
    assert manifest.name == "review"
    assert manifest.size == len(content)
    assert manifest.training["rows"] == 454
    assert manifest.training["source"] == "reviews.csv"
    assert manifest.labels == ["Negative Review", "Positive Review"]
    assert manifest.metrics["accuracy"] > 0.75
    assert sum(map(sum, manifest.metrics["confusion"])) == manifest.metrics["rows"] == 91
    assert manifest.libraries["scikit-learn"]
    pipeline = read_artifact(content, manifest.sha256, 10**9).pipeline
    assert pipeline.predict(["I love this movie", "I hate this movie"]).tolist() == [1, 0]
    assert not list(options.output.glob(".*")), "no temporary file is left"


def test_the_same_training_gives_the_same_artifact(options: Options, tmp_path: Path) -> None:
    """Data and seed decide the bytes."""
    again = train(replace(options, output=tmp_path), QUIET)
    assert again.sha256 == load(options.output)[0].sha256


def test_a_current_model_is_recognised(options: Options, tmp_path: Path) -> None:
    """The stored model is current for the same options, and for no others."""
    assert current(options) is not None
    assert current(replace(options, seed=1)) is None
    assert current(replace(options, test_size=0.3)) is None
    assert current(replace(options, output=tmp_path)) is None


def test_reviews_of_a_file_of_their_own_measure(options: Options, tmp_path: Path) -> None:
    """With test data, all reviews are trained on and the metrics are those of that file."""
    data = tmp_path / "test.csv"
    data.write_text("text,label\n" + "I love it,1\nI hate it,0\n" * 10)
    manifest = train(replace(options, output=tmp_path, test_source=str(data)), QUIET)
    assert (manifest.metrics["rows"], manifest.metrics["source"]) == (20, "test.csv")


def test_columns_that_are_named_are_those_of_the_test_data_too(
    options: Options, tmp_path: Path
) -> None:
    """Reviews to measure on have the columns that were named for those to fit on."""
    odd = tmp_path / "odd.csv"
    odd.write_text("words,verdict\n" + "I love it,1\nI hate it,0\n" * 10)
    named = replace(options, output=tmp_path, source=str(odd), test_source=str(odd))
    manifest = train(replace(named, text_column="words", label_column="verdict"), QUIET)
    assert manifest.training["columns"] == ["words", "verdict"]
    assert manifest.metrics["rows"] == 20


@pytest.mark.parametrize("test_size", [0.001, 0.999])
def test_too_few_reviews_on_one_side_are_said(
    options: Options, tmp_path: Path, test_size: float
) -> None:
    """A share that leaves no review of each label to fit or to measure on is refused."""
    with pytest.raises(TrainingError, match=f"--test-size {test_size} of 454 reviews"):
        train(replace(options, output=tmp_path, test_size=test_size), QUIET)


def test_reviews_without_words_are_said(options: Options, tmp_path: Path) -> None:
    """Texts that hold nothing to learn from are an error that names their file."""
    data = tmp_path / "letters.csv"
    data.write_text("text,label\n" + "a,1\nb,0\n" * 20)
    with pytest.raises(TrainingError, match=r"letters\.csv: empty vocabulary"):
        train(replace(options, output=tmp_path / "model", source=str(data)), QUIET)
    assert not (tmp_path / "model").exists()


def test_a_change_of_the_data_is_a_change(options: Options, tmp_path: Path) -> None:
    """A model is current for its file's content and not for its name."""
    data = tmp_path / "data.csv"
    data.write_text("text,label\n" + "I love it,1\nI hate it,0\n" * 10)
    named = replace(options, output=tmp_path, source=str(data))
    train(named, QUIET)
    assert current(named) is not None
    data.write_text(data.read_text() + "great,1\n")
    assert current(named) is None


def test_a_model_is_replaced_as_a_whole_or_not_at_all(options: Options, tmp_path: Path) -> None:
    """Where the new model cannot take the old one's place, the old file stays, and nothing else."""
    (tmp_path / "manifest.json").write_bytes((options.output / "manifest.json").read_bytes())
    kept = tmp_path / "model.zip" / "kept"  # a folder cannot be replaced by a file
    kept.parent.mkdir()
    kept.touch()
    with pytest.raises(TrainingError, match="cannot be written"):
        train(replace(options, output=tmp_path), QUIET)
    assert kept.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "model.zip"]
    assert (tmp_path / "manifest.json").read_bytes() == (
        options.output / "manifest.json"
    ).read_bytes()


def test_a_damaged_model_is_not_used(options: Options, tmp_path: Path) -> None:
    """A missing, cut or foreign file is said, and training again mends it."""
    with pytest.raises(TrainingError, match="there is no model in"):
        load(tmp_path)
    manifest = (options.output / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(manifest)
    (tmp_path / "model.zip").write_bytes(b"cut")
    with pytest.raises(TrainingError, match="train again"):
        load(tmp_path)
    assert current(replace(options, output=tmp_path)) is None
    (tmp_path / "manifest.json").write_text(json.dumps({"name": "review"}))
    with pytest.raises(TrainingError, match="missing or unknown fields"):
        load(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_said(options: Options) -> None:
    """The artifact named instead of its folder is an error in words."""
    with pytest.raises(TrainingError, match="cannot be read: Not a directory"):
        load(options.output / "model.zip")


def test_a_folder_that_cannot_be_written_is_said(options: Options, tmp_path: Path) -> None:
    """Where the output cannot be written, one sentence says so."""
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(TrainingError, match="cannot be written"):
        train(replace(options, output=file / "below"), QUIET)


def test_a_data_set_of_the_hub_measures_with_its_test_split(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data come from the train split and test data from the test split, of the same commit."""
    asked: list[tuple[str, str]] = []

    def read_hub(name: str, revision: str, split: str) -> dict[str, list[object]]:
        asked.append((revision, split))
        return {"text": [f"{split} {n}" for n in range(20)], "label": [n % 2 for n in range(20)]}

    monkeypatch.setattr("training.data._read_hub", read_hub)
    hub = replace(
        options, output=tmp_path, source="some/reviews", test_source="some/reviews", revision="c0"
    )
    train(hub, QUIET)
    assert asked == [("c0", "train"), ("c0", "test")]
