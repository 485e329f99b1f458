"""Data sets: texts or tables, which columns they have, and what is left out."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.helpers.customers import churned, customers, prices
from tests.helpers.datasets import dataset
from tests.helpers.tickets import tickets
from training.dataset import Dataset, read_dataset, read_test
from training.errors import TrainingError
from training.options import Options


def written(folder: Path, name: str, **columns: Any) -> str:
    """Write a table as csv."""
    path = folder / name
    pd.DataFrame(columns).to_csv(path, index=False)
    return str(path)


def table(folder: Path, name: str = "customers.csv", **more: Any) -> str:
    """Write the made-up customers without their notes, and other columns."""
    columns = {**customers().drop(columns="note"), **more}
    return written(folder, name, **columns)


def read(path: str, **options: Any) -> Dataset:
    return read_dataset(Options(path, name="desk", **options))


def test_texts_with_words_as_classes(tmp_path: Path) -> None:
    """Texts stay as they are, the classes are the words, and the source is named."""
    texts, kinds = tickets()
    found = read(written(tmp_path, "tickets.csv", text=texts, label=kinds))
    assert (found.kind, found.task) == ("text", "multiclass")
    assert found.rows == texts
    assert found.targets.tolist() == kinds
    assert found.classes == ["access", "billing", "network"]
    assert (found.columns, found.target, found.source) == (("text",), "label", "tickets.csv")
    assert len(found.revision) == 64
    assert found.class_counts() == {kind: kinds.count(kind) for kind in sorted(set(kinds))}


@pytest.mark.parametrize(("name", "classes"), [("review", [0, 1]), ("desk", ["neg", "pos"])])
def test_reviews_have_the_labels_of_reviews(tmp_path: Path, name: str, classes: list[Any]) -> None:
    """For a model called review, neg and pos are 0 and 1; for any other they are what they are."""
    path = written(tmp_path, "r.csv", text=["good", "bad"] * 10, label=["pos", "neg"] * 10)
    found = read_dataset(Options(path, name=name))
    assert found.classes == classes
    assert found.targets[:2].tolist() == classes[::-1]


def test_a_table_of_customers(tmp_path: Path) -> None:
    """Columns have types, gaps are NaN, and the target is no column of the rows."""
    found = read(table(tmp_path, left=np.where(churned(), "no", "yes")), target="left")
    assert (found.kind, found.task, found.classes) == ("table", "binary", ["no", "yes"])
    expected = customers().drop(columns="note")
    assert found.columns == tuple(found.rows.columns) == tuple(expected.columns)
    assert found.target == "left"
    types = ["object", "int64", "float64", "object", "float64", "bool"]
    assert [str(dtype) for dtype in found.rows.dtypes] == types
    assert found.rows["region"].isna().sum() == expected["region"].isna().sum() > 0


def test_numbers_are_a_regression(tmp_path: Path) -> None:
    """The target of a table, or of texts, may be a number."""
    found = read(table(tmp_path, price=prices()), target="price")
    assert (found.kind, found.task, found.classes) == ("table", "regression", [])
    np.testing.assert_allclose(found.targets, prices())
    texts = [f"flat {n} with rooms" for n in range(40)]
    ads = read(written(tmp_path, "ads.csv", text=texts, target=range(100, 140)))
    assert (ads.kind, ads.task) == ("text", "regression")


def test_several_labels_are_asked_for(tmp_path: Path) -> None:
    """Joined labels are refused until their separator is named."""
    texts = [f"text {n}" for n in range(30)]
    path = written(tmp_path, "tags.csv", text=texts, labels=["a|b", "b", None] * 10)
    with pytest.raises(TrainingError, match=r"--drop-empty"):
        read(path)
    with pytest.raises(TrainingError, match=r"--label-separator '\|'"):
        read(path, drop_empty=True)
    found = read(path, label_separator="|")
    assert (found.task, found.classes) == ("multilabel", ["a", "b"])
    assert found.targets[:3].tolist() == [[1, 1], [0, 1], [0, 0]]
    assert found.class_counts() == {"a": 10, "b": 20}
    tags = table(tmp_path, tags=["x|y", "y", "x"] * 50)
    with pytest.raises(TrainingError, match="from texts only; name the text column of customers"):
        read(tags, target="tags", label_separator="|")


def test_the_target_is_found_or_named(tmp_path: Path) -> None:
    """Usual names are found; an error lists the columns; a text cannot be its own label."""
    path = written(tmp_path, "data.csv", text=["a b", "c d"] * 10, kind=["x", "y"] * 10)
    with pytest.raises(TrainingError, match=r"data\.csv .* it has: text, kind.*with --target"):
        read(path)
    with pytest.raises(TrainingError, match="no column 'sort'; it has: text, kind"):
        read(path, target="sort")
    with pytest.raises(TrainingError, match="no column 'body'; it has: text, kind"):
        read(path, target="kind", text_column="body")
    with pytest.raises(TrainingError, match=r"column 'kind' of data\.csv cannot be both"):
        read(path, target="kind", text_column="kind")
    assert read(path, target="kind").kind == "text"


def test_what_makes_a_text(tmp_path: Path) -> None:
    """A usual name, the option, or the only useful column, if its values are words that differ."""
    texts, kinds = tickets()
    numbers = np.random.default_rng(0).integers(0, 99, len(texts))
    distinct = [f"{text} {number}" for number, text in enumerate(texts)]
    usual = read(written(tmp_path, "a.csv", n=numbers, Text=distinct, label=kinds))
    assert (usual.kind, usual.columns) == ("text", ("Text",))
    assert any("column 'Text' alone" in note and "--inputs" in note for note in usual.notes)
    both = written(tmp_path, "b.csv", n=numbers, body=distinct, label=kinds)
    assert read(both).kind == "table"
    assert read(both, text_column="body").rows == distinct
    assert read(both, leave_out=("n",)).rows == distinct
    ids = range(len(texts))
    assert read(written(tmp_path, "c.csv", id=ids, body=distinct, label=kinds)).rows == distinct
    words = read(written(tmp_path, "d.csv", plan=["basic", "pro", "pro"] * 50, label=kinds))
    assert words.kind == "table"


def test_named_inputs_make_a_table(tmp_path: Path) -> None:
    """They are used whatever they hold, in this order; others are not read."""
    texts, kinds = tickets()
    path = written(tmp_path, "a.csv", text=texts, id=range(150), mixed=[1, "x"] * 75, label=kinds)
    found = read(path, inputs=("id", "text"))
    assert (found.kind, found.columns) == ("table", ("id", "text"))
    with pytest.raises(TrainingError, match="no column to learn from besides 'label'"):
        read(path, inputs=("id",), leave_out=("id",))
    with pytest.raises(TrainingError, match="no column 'ids'"):
        read(path, leave_out=("ids",))


def test_useless_columns_are_left_out_and_named(tmp_path: Path) -> None:
    """The notes say which, and why; other columns stay."""
    size = len(customers())
    path = table(
        tmp_path,
        number=range(1, size + 1),
        code=[f"C-{n:04}" for n in range(size)],
        since=[f"2024-{n % 12 + 1:02}-01" for n in range(size)],
        country="DE",
        fax=None,
        said=[f"customer {n} was happy" for n in range(size)],
        answer=np.where(churned(), "stayed", "went"),
        left=churned(),
    )
    found = read(path, target="left", leave_out=("plan",))
    assert found.columns == ("tenure", "charges", "region", "calls", "senior")
    reasons = {
        "number": "it numbers the rows",
        "code": "it has 150 different values in 150 rows, as of names or ids",
        "since": "it holds dates",
        "country": "it has the same value, 'DE', in every row",
        "fax": "it has no values",
        "said": "it has 150 different values in 150 rows, as of texts, which --text-column uses",
        "answer": "it says the same as the target 'left' in other words",
    }
    for name, reason in reasons.items():
        assert any(
            note.startswith(f"column '{name}' is left out: {reason}") for note in found.notes
        )
    assert sum("--inputs" in note for note in found.notes) == 1
    assert not any("'plan'" in note for note in found.notes)


def test_a_table_without_useful_columns_is_refused(tmp_path: Path) -> None:
    """The message says what is wrong with each of them."""
    path = written(tmp_path, "a.csv", one=[1] * 30, two=range(30), label=["a", "b", "c"] * 10)
    with pytest.raises(TrainingError, match=r"no column of a\.csv: .*'one'.*'two'.*--inputs"):
        read(path)


def test_rows_without_a_target_are_refused_or_left_out(tmp_path: Path) -> None:
    """Gaps in other columns are values like any other."""
    left = np.where(churned(), "no", "yes").astype(object)
    left[[3, 7]] = None
    path = table(tmp_path, left=left)
    with pytest.raises(TrainingError, match=r"2 rows of customers.csv .* 'left' \(rows 4 and 8\)"):
        read(path, target="left")
    found = read(path, target="left", drop_empty=True)
    assert len(found) == len(found.rows) == 148
    assert any("2 of 150 rows of customers.csv are left out" in note for note in found.notes)


def test_some_rows_can_be_taken() -> None:
    """By their positions, or by a mask; their index starts at 0 again."""
    texts = dataset(["a", "b", "c", "d"], ["x", "y", "x", "y"])
    assert texts.take([3, 0]).rows == ["d", "a"]
    assert texts.take(texts.targets == "x").rows == ["a", "c"]
    frame = dataset(customers(), churned())
    part = frame.take([5, 2])
    pd.testing.assert_frame_equal(part.rows, customers().iloc[[5, 2]].reset_index(drop=True))
    assert part.targets.tolist() == churned()[[5, 2]].tolist()


def test_rows_to_measure_on_have_the_types_of_those_to_fit_on(tmp_path: Path) -> None:
    """Words stay words where they look like numbers, and whole numbers may be in a float column."""
    left = np.where(churned(), "no", "yes")
    codes = ["1", "2", "x"] * 50
    options = Options(
        table(tmp_path, code=codes, left=left),
        target="left",
        test_source=table(tmp_path, "test.csv", code=["1", "2", None] * 50, left=left, other=1),
    )
    found = read_dataset(options)
    test = read_test(options, found)
    assert test.rows.dtypes.tolist() == found.rows.dtypes.tolist()
    assert test.rows["code"][:2].tolist() == ["1", "2"]
    assert test.rows["code"].isna().sum() == 50
    assert (test.source, test.classes) == ("test.csv", found.classes)
    words = Options(options.source, target="left", test_source=table(tmp_path, "w.csv", code=codes))
    with pytest.raises(TrainingError, match=r"w\.csv has no column 'left'"):
        read_test(words, found)
    wrong = customers().assign(charges="many", code=codes, left=left).drop(columns="note")
    path = written(tmp_path, "wrong.csv", **wrong)
    with pytest.raises(TrainingError, match=r"'charges' of wrong\.csv holds words, and that of"):
        read_test(Options(options.source, target="left", test_source=path), found)


@pytest.mark.parametrize(
    ("name", "kind", "target"), [("review", "text", "label"), ("churn", "table", "churned")]
)
def test_an_example_has_a_sample(name: str, kind: str, target: str) -> None:
    """It is read where no data are named; other models have none."""
    found = read_dataset(Options(name=name))
    assert (found.kind, found.task, found.target) == (kind, "binary", target)
    with pytest.raises(TrainingError, match=r"no sample for a model called desk.* with --data"):
        read_dataset(Options(name="desk"))
