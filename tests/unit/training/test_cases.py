"""What people's own files look like: each of them trains a model that answers, or is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from sklearn_api.load import load_model
from sklearn_api.model import Model
from sklearn_api.settings import Settings
from sklearn_api.signature import (
    BINARY,
    MULTICLASS,
    MULTILABEL,
    NUMBER,
    REGRESSION,
    STRING,
    TABLE,
    TEXT,
)
from training.__main__ import main

FIRST = ["the invoice is wrong", "i was charged twice", "where is my refund", "cancel the bill"]
SECOND = ["my screen stays black", "the key is stuck", "no sound at all", "the fan is loud"]
THIRD = ["i cannot sign in", "reset the password", "my account is locked", "the code expired"]
ENDS = ["today", "again", "please", "since monday", "what now"]


def texts(*topics: list[str]) -> list[tuple[str, int]]:
    """Return texts of each topic with its number, in turns."""
    return [
        (f"{starts[row % 4]} {end} {row}", topic)
        for row, end in enumerate(ENDS * 2)
        for topic, starts in enumerate(topics)
    ]


def lines(rows: list[tuple[str, Any]], header: str = "text,label", between: str = ",") -> str:
    return "\n".join([header, *(f"{text}{between}{label}" for text, label in rows)]) + "\n"


class Trained:
    """The folder of a trained model, and what training printed."""

    def __init__(self, folder: Path, printed: str) -> None:
        self.folder = folder
        self.printed = printed

    @property
    def model(self) -> Model:
        content = (self.folder / "model.zip").read_bytes()
        return load_model(content, Settings("bucket", "name").max_artifact_bytes)


@pytest.fixture
def train(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    """Return a function that trains on a file by the command line."""

    def run(name: str, content: str | bytes, *options: str, status: int = 0) -> Trained:
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        folder = tmp_path / "model"
        arguments = ["--name", "own", "--data", str(file), "--output", str(folder)]
        assert main(["train", *arguments, *options]) == status, capfd.readouterr()
        captured = capfd.readouterr()
        assert "Glyph" not in captured.err, "the report is drawn without noise about fonts"
        if status:
            assert not folder.exists(), "nothing is written"
        return Trained(folder, captured.out + captured.err)

    return run


def labels(model: Model) -> list[Any]:
    return [one.label for one in model.signature.labels]


def words(model: Model) -> list[str]:
    return [one.word for one in model.signature.labels]


def predicted(model: Model, *rows: Any) -> list[Any]:
    return [one.value for one in model.predict(rows)]


def test_a_ticket_router(train: Any) -> None:
    """Several classes, as words: the model answers in these words."""
    rows = [
        (text, ["billing", "device", "access"][topic])
        for text, topic in texts(FIRST, SECOND, THIRD)
    ]
    model = train("tickets.csv", lines(rows)).model
    assert (model.signature.kind, model.signature.task) == (TEXT, MULTICLASS)
    assert words(model) == ["access", "billing", "device"]
    assert predicted(model, FIRST[0], SECOND[0], THIRD[0]) == ["billing", "device", "access"]


TAGS = lines(
    [
        (text, ["bill", "device|bill", "device"][topic])
        for text, topic in texts(FIRST, SECOND, THIRD)
    ],
    "text,labels",
)


def test_several_labels_a_row_are_not_taken_for_one(train: Any) -> None:
    """Joined labels never become one class for each combination without being asked for."""
    printed = train("tags.csv", TAGS, status=2).printed
    assert "device|bill" in printed or "'bill|device'" in printed
    assert "--label-separator" in printed


def test_several_labels_a_row(train: Any) -> None:
    """If it is asked for, the model gives each text any number of labels."""
    model = train("tags.csv", TAGS, "--label-separator", "|").model
    assert (model.signature.task, words(model)) == (MULTILABEL, ["bill", "device"])
    assert predicted(model, FIRST[0], SECOND[0], THIRD[0]) == [[0], [0, 1], [1]]


def churn(rows: int = 80) -> str:
    plans = ["basic", "plus", ""]
    content = ["tenure,plan,fee,churned"]
    for row in range(rows):
        tenure = row * 7 % 60
        gap = "" if row % 9 == 0 else f"{9.9 + row % 5}"
        content.append(f"{tenure},{plans[row % 3]},{gap},{'yes' if tenure < 20 else 'no'}")
    return "\n".join(content) + "\n"


def test_a_table_with_gaps(train: Any) -> None:
    """Numbers, categories and gaps, and two classes: a model of a table."""
    model = train("churn.csv", churn(), "--target", "churned").model
    assert (model.signature.kind, model.signature.task) == (TABLE, BINARY)
    assert [(one.name, one.type, one.nullable) for one in model.signature.inputs] == [
        ("tenure", NUMBER, True),
        ("plan", STRING, True),
        ("fee", NUMBER, True),
    ]
    assert words(model) == ["no", "yes"]
    rows = {"tenure": 3, "plan": "plus", "fee": 10.9}, {"tenure": 55, "plan": None}
    assert predicted(model, *rows) == ["yes", "no"]


def test_prices_from_a_table(train: Any) -> None:
    """A target of numbers is a regression."""
    content = ["area,rooms,district,price"]
    content += [
        f"{40 + row * 13 % 160},{1 + row % 6},{['north', 'south'][row % 2]},"
        f"{(40 + row * 13 % 160) * 3000 + (row % 2) * 50000}"
        for row in range(120)
    ]
    model = train("houses.csv", "\n".join(content), "--target", "price").model
    assert (model.signature.kind, model.signature.task) == (TABLE, REGRESSION)
    small, large = predicted(
        model,
        {"area": 50, "rooms": 2, "district": "north"},
        {"area": 190, "rooms": 2, "district": "north"},
    )
    assert 50_000 < small < 400_000 < large < 800_000


def test_prices_from_texts(train: Any) -> None:
    """Numbers can be predicted from a text, too."""
    sizes = {"tiny": 100_000, "large": 400_000}
    rows = [
        (f"{size} flat number {row} near the {place}", price + row * 100)
        for row in range(20)
        for place in ("port", "park")
        for size, price in sizes.items()
    ]
    model = train("ads.csv", lines(rows, "text,target")).model
    assert (model.signature.kind, model.signature.task) == (TEXT, REGRESSION)
    small, large = predicted(model, "tiny flat near the port", "large flat near the park")
    assert small < 250_000 < large


@pytest.mark.parametrize(
    ("both", "expected"), [(("ham", "spam"), ["ham", "spam"]), ((1, 5), [1, 5]), ((0, 1), [0, 1])]
)
def test_two_classes_of_any_name(train: Any, both: tuple[Any, Any], expected: list[Any]) -> None:
    """Two words or two numbers are two classes, and what the model answers."""
    rows = [(text, both[topic]) for text, topic in texts(FIRST, SECOND)]
    model = train("two.csv", lines(rows)).model
    assert (model.signature.task, labels(model)) == (BINARY, expected)
    assert words(model) == [str(one) for one in expected]
    assert predicted(model, FIRST[0], SECOND[0]) == expected


def test_words_for_labels_can_be_given(train: Any) -> None:
    """Clients see the words that the option --labels gives the labels."""
    rows = [(text, topic) for text, topic in texts(FIRST, SECOND)]
    model = train("two.csv", lines(rows), "--labels", "0=Money,1=Machines and more").model
    assert words(model) == ["Money", "Machines and more"]


FRENCH = lines([(f"café naïve £5 {text}", topic) for text, topic in texts(FIRST, SECOND)])


def test_another_encoding_is_read_when_it_is_named(train: Any) -> None:
    """Windows' encoding is never guessed: the error shows how it would read, and how to say so."""
    content = FRENCH.encode("cp1252")
    printed = train("sms.csv", content, status=2).printed
    assert "--encoding cp1252" in printed
    assert "café" in printed
    trained = train("sms.csv", content, "--encoding", "cp1252")
    report = (trained.folder / "report" / "index.html").read_text()
    assert "caf\ufffd" not in report
    assert predicted(trained.model, f"café naïve {FIRST[0]}") == [0]


def test_semicolons(train: Any) -> None:
    """Excel writes semicolons in most of Europe: they are recognised, and reported."""
    rows = [(text.replace(" ", ", ", 1), topic) for text, topic in texts(FIRST, SECOND)]
    trained = train("semicolon.csv", lines(rows, "text;label", ";"))
    assert "semicolon" in trained.printed
    assert predicted(trained.model, FIRST[0], SECOND[0]) == [0, 1]


def test_blanks_in_the_header(train: Any) -> None:
    """Blanks around names and labels do not count."""
    model = train("blanks.csv", lines(texts(FIRST, SECOND), "text, label", ", ")).model
    assert (model.signature.inputs[0].name, labels(model)) == ("text", [0, 1])


def test_a_comma_in_every_text(train: Any) -> None:
    """Rows with more fields than the header are refused, since nobody knows which is the text."""
    rows = [(text.replace(" ", ", ", 1), topic) for text, topic in texts(FIRST, SECOND)]
    printed = train("commas.csv", lines(rows), status=2).printed
    assert "row 1" in printed
    assert "quotes" in printed


def test_a_column_that_nobody_needs(train: Any) -> None:
    """What stands in other columns does not matter, wherever it changes its type."""
    rows = [
        (f"{row if row < 10_400 else 'unknown'},{text}", topic)
        for row, (text, topic) in enumerate(texts(FIRST, SECOND) * 525)
    ]
    options = ("--text-column", "text", "--recipe", "article")
    model = train("other.csv", lines(rows, "customer,text,label"), *options).model
    assert predicted(model, FIRST[0], SECOND[0]) == [0, 1]


def test_json_of_pandas(train: Any) -> None:
    """What `to_json()` writes is read."""
    rows = texts(FIRST, SECOND)
    content = {
        "text": {str(row): text for row, (text, _) in enumerate(rows)},
        "label": {str(row): topic for row, (_, topic) in enumerate(rows)},
    }
    assert labels(train("columns.json", json.dumps(content)).model) == [0, 1]


def test_empty_texts(train: Any) -> None:
    """All of them are counted in one message, and an option leaves them out."""
    rows = [
        ("" if row in (3, 8) else text, topic)
        for row, (text, topic) in enumerate(texts(FIRST, SECOND) * 2)
    ]
    printed = train("empty.csv", lines(rows), status=2).printed
    assert "2 rows of empty.csv are empty" in printed
    assert "--drop-empty" in printed
    trained = train("empty.csv", lines(rows), "--drop-empty")
    assert "2 of 40 rows of empty.csv are left out" in trained.printed
    assert labels(trained.model) == [0, 1]


CHINESE = [
    (f"{start}{end}", topic)
    for end in ("。", "！", "了", "哦", "啊", "呢")
    for topic, starts in enumerate(
        [["质量很好", "非常满意", "物流很快"], ["物流太慢", "非常失望", "质量很差"]]
    )
    for start in starts
]


def test_texts_without_spaces(train: Any) -> None:
    """A warning says what to choose where whole sentences would be taken for words."""
    warned = train("chinese.csv", lines(CHINESE)).printed
    assert "no spaces between words" in warned
    assert "--recipe characters" in warned
    model = train("chinese.csv", lines(CHINESE), "--recipe", "characters").model
    assert predicted(model, "质量很好哦哦", "物流太慢哦哦") == [0, 1]


def test_brackets_in_a_name(train: Any, tmp_path: Path) -> None:
    """The file that was named is read, and no other that a pattern would match."""
    (tmp_path / "part1.csv").write_text(
        lines([(text, 1 - topic) for text, topic in texts(FIRST, SECOND)])
    )
    trained = train("part[12].csv", lines(texts(FIRST, SECOND)))
    assert "part[12].csv" in trained.printed
    assert predicted(trained.model, FIRST[0], SECOND[0]) == [0, 1]
