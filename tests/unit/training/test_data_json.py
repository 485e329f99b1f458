"""json and jsonl files, in the shapes that pandas writes."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from training.data import named_columns, read_table
from training.errors import TrainingError

COLUMNS = {"text": ["café", "null", "12", "d"], "label": [1, 0, 1, 0]}


def write(folder: Path, text: str, name: str = "data.json") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", ["data.json", "data.jsonl", "data.ndjson"])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("index", [None, ["a", "b", "c", "e"]])
@pytest.mark.parametrize("orient", ["columns", "index", "split", "table", "records"])
def test_the_shapes_of_pandas_are_read(
    tmp_path: Path, orient: Any, index: Any, indent: int | None, name: str
) -> None:
    """All that name their columns, on one line or on many, with any index, which is not read."""
    frame = pd.DataFrame(COLUMNS, index=index)
    path = write(tmp_path, frame.to_json(orient=orient, indent=indent) or "", name)
    assert read_table(path).columns == COLUMNS


def test_lines_are_read(tmp_path: Path) -> None:
    """One object for each line, with blank lines; a missing name is a missing value."""
    lines = '\n{"text": "a", "label": true}\n\n{"label": null, " other ": [1]}\n{"text": "c"}\n'
    found = read_table(write(tmp_path, lines, "data.jsonl"))
    assert found.columns == {
        "text": ["a", None, "c"],
        "label": [True, None, None],
        "other": [None, [1], None],
    }
    assert read_table(write(tmp_path, '{"text": "a"}\n')).columns == {"text": ["a"]}


@pytest.mark.parametrize(
    "document",
    [
        {"text": ["a", "b"], "label": [1, 0]},
        {"data": [{"text": "a", "label": 1}, {"text": "b", "label": 0}]},
    ],
)
def test_other_usual_shapes_are_read(tmp_path: Path, document: Any) -> None:
    """A list for each column, and rows below a single name."""
    path = write(tmp_path, json.dumps(document))
    assert read_table(path).columns == {"text": ["a", "b"], "label": [1, 0]}


@pytest.mark.parametrize(
    "document",
    [
        [["a", 1], ["b", 0]],
        ["a", "b"],
        {"text": ["a", "b"], "label": [1]},
        {"text": {"0": "a", "1": "b"}, "label": {"0": 1}},
        {"columns": ["a", "a"], "data": [[1, 2]]},
        {"a": 1, "b": {"c": 2}},
        {},
        "text",
    ],
)
def test_other_shapes_are_refused_with_the_one_to_write(tmp_path: Path, document: Any) -> None:
    """The error says how pandas writes rows that can be read."""
    path = write(tmp_path, json.dumps(document))
    with pytest.raises(TrainingError, match=r'data\.json does not .*orient="records", lines=True'):
        read_table(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"text": "a"},\n {"text": ]', "cannot be read as json: Expecting value in line 2, column 11"),
        ('{"text": "a"}\n\n{"text" "b"}\n', "cannot be read as json: .* in line 3, column 9"),
        ('{"text": "a"}\n{"text": "b"}\n[1]\n', "line 3 of data.json is not an object; write one"),
        ("\n \n", "is empty"),
        ("[]", "has no rows"),
        ("[" * 100_000, "is nested too deeply|cannot be read as json"),
        ('{"text": "a"}\n{"text": "\\ud83d!"}\n', r"row 2 of .* half a character in column 'text' \(\\ud83d\)"),
    ],
)  # fmt: skip
def test_damaged_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """The error says where."""
    with pytest.raises(TrainingError, match=message):
        read_table(write(tmp_path, text))


def test_columns_that_are_not_asked_for_are_not_kept(tmp_path: Path) -> None:
    """Neither are their values checked."""
    rows = '{"text": "a", "x": 1}\n{"text": "b", "x": "\\ud83d"}\n{"text": "c", "x": {"y": []}}\n'
    found = read_table(write(tmp_path, rows, "data.jsonl"), named_columns("text"))
    assert found.columns == {"text": ["a", "b", "c"]}
