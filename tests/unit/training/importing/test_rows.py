"""The rows that a pipeline from elsewhere is measured on."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

from training.errors import TrainingError
from training.importing.options import ImportOptions
from training.importing.rows import read_rows

TABLE = "id,tenure,charges,churned\n1,3,70.5,yes\n2,NA,20,no\n3,40,,no\n"
TICKETS = "id,text,team\n1,My bill is wrong,billing\n2,I cannot log in,access\n"


def options(tmp_path: Path, content: str, name: str = "rows.csv", **more: Any) -> ImportOptions:
    (tmp_path / name).write_text(content)
    return ImportOptions("shop:model", "churn", tmp_path, str(tmp_path / name), **more)


def on_frame() -> Any:
    frame = pd.DataFrame({"charges": [70.5, 20], "tenure": [3, 40]})
    return LogisticRegression().fit(frame, ["yes", "no"])


def on_texts() -> Any:
    return make_pipeline(TfidfVectorizer(), LinearSVC()).fit(["bill", "log in"], [0, 1])


def test_a_pipeline_names_its_columns(tmp_path: Path) -> None:
    """The columns are those that it was fitted on, in its order; others are not read."""
    found = read_rows(on_frame(), options(tmp_path, TABLE, target="churned"))
    assert found.rows.columns.tolist() == ["charges", "tenure"]
    assert found.rows.dtypes.tolist() == [float, float]
    assert found.rows.isna().sum().tolist() == [1, 1]
    assert found.target == ["yes", "no", "no"]
    assert (found.source, found.columns) == ("rows.csv", ("charges", "tenure"))


def test_missing_columns_are_named(tmp_path: Path) -> None:
    """The error lists the missing columns, those that are there, and similar ones."""
    with pytest.raises(
        TrainingError,
        match=r"rows\.csv has no column 'charges', which the pipeline was fitted on; it has: Charges, tenure; did you mean Charges",
    ):
        read_rows(on_frame(), options(tmp_path, "Charges,tenure\n1,2\n"))  # fmt: skip
    with pytest.raises(TrainingError, match="has no columns charges, tenure, which the pipeline"):
        read_rows(on_frame(), options(tmp_path, "a,b\n1,2\n"))
    with pytest.raises(TrainingError, match=r"has no column 'churn'; it has: .*mean churned"):
        read_rows(on_frame(), options(tmp_path, TABLE, target="churn"))


def test_the_target_is_not_an_input(tmp_path: Path) -> None:
    """A target that the pipeline predicts from is a mistake."""
    with pytest.raises(TrainingError, match="'tenure' cannot be the target: the pipeline predicts"):
        read_rows(on_frame(), options(tmp_path, TABLE, target="tenure"))


def test_an_array_takes_all_columns(tmp_path: Path) -> None:
    """A pipeline that was fitted on an array takes all columns but the target, if they are as many."""
    model = LogisticRegression().fit([[1, 2, 3], [4, 5, 6]], [0, 1])
    found = read_rows(model, options(tmp_path, TABLE, target="churned"))
    assert found.rows.columns.tolist() == ["id", "tenure", "charges"]
    with pytest.raises(
        TrainingError,
        match=r"array with 3 columns, and not on 4: id, tenure, charges, churned; name those of rows.csv with --inputs",
    ):
        read_rows(model, options(tmp_path, TABLE))  # fmt: skip
    named = options(tmp_path, TABLE, inputs=("charges", "id", "tenure"))
    assert read_rows(model, named).rows.columns.tolist() == ["charges", "id", "tenure"]


def test_texts_are_found(tmp_path: Path) -> None:
    """A pipeline of texts takes the usual column, the only other one, or the named one."""
    found = read_rows(on_texts(), options(tmp_path, TICKETS, target="team"))
    assert found.rows == ["My bill is wrong", "I cannot log in"]
    assert found.columns == ("text",)
    assert found.target == ["billing", "access"]
    alone = options(tmp_path, "subject,team\nhello,billing\n", target="team")
    assert read_rows(on_texts(), alone).rows == ["hello"]
    several = "subject,body,team\nhello,world,billing\n"
    with pytest.raises(TrainingError, match=r"several columns: subject, body. Name the one"):
        read_rows(on_texts(), options(tmp_path, several, target="team"))
    named = options(tmp_path, several, target="team", text_column="body")
    assert read_rows(on_texts(), named).rows == ["world"]


def test_incomplete_rows_are_refused_or_left_out(tmp_path: Path) -> None:
    """Rows without a target are named; --drop-empty leaves them out, and says how many."""
    content = "tenure,charges,churned\n1,2,yes\n3,4,\n5,6,\n"
    with pytest.raises(
        TrainingError,
        match=r"rows 2 and 3 of rows\.csv are empty in column 'churned'; --drop-empty",
    ):
        read_rows(on_frame(), options(tmp_path, content, target="churned"))  # fmt: skip
    found = read_rows(on_frame(), options(tmp_path, content, target="churned", drop_empty=True))
    assert found.target == ["yes"]
    assert len(found.rows) == 1
    assert any("2 of 3 rows" in note for note in found.notes)
    nothing = options(tmp_path, "tenure,charges,churned\n1,2,\n", target="churned", drop_empty=True)
    with pytest.raises(TrainingError, match="no rows to measure on"):
        read_rows(on_frame(), nothing)


def test_files_of_a_spreadsheet_are_read(tmp_path: Path) -> None:
    """Semicolons and decimal commas are recognised, in the target as well."""
    content = "tenure;charges;price\n3;70,5;1,5\n4;1;2\n"
    found = read_rows(on_frame(), options(tmp_path, content, target="price"))
    assert found.rows["charges"].tolist() == [70.5, 1.0]
    assert found.target == [1.5, 2]


def test_encoders_decide_between_numbers_and_words(tmp_path: Path) -> None:
    """A column has the type that the pipeline was fitted on, which a file does not say."""
    words = {"zone": ["1", "2"], "code": [" ", "01069"], "answer": ["True", "False"]}
    numbers = {"zone": [1, 2], "code": [1069, 4109], "answer": [True, False]}
    content = "zone,code,answer\n1,01069,True\n,,\n2, ,False\n"
    for columns, expected in (
        (words, {"zone": ["1", None, "2"], "code": ["01069", None, " "], "answer": ["True", None, "False"]}),
        (numbers, {"zone": [1, None, 2], "code": [1069, None, None], "answer": [True, None, False]}),
    ):  # fmt: skip
        frame = pd.DataFrame(columns)
        model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
        found = read_rows(model.fit(frame, [0, 1]), options(tmp_path, content)).rows
        filled = found.astype(object).where(found.notna(), None)
        assert {name: filled[name].tolist() for name in filled} == expected
