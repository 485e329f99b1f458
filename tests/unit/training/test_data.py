"""Reading reviews: file types, columns, labels, and what is refused."""

import bz2
import csv
import gzip
import io
import json
import lzma
import socket
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from training import data
from training.__main__ import main
from training.dataset import Dataset, read_dataset
from training.errors import TrainingError
from training.options import Options

# Values that readers of tables tend to change: line ends, quotes, "missing" values, numbers,
# U+0085.
ROWS = [
    ('Good\x85 film, "quoted"\nsecond line\r\nthird', "pos"),
    ("null", "neg"),
    ("123", "neg"),
    ("NA", "pos"),
] * 6


def as_csv(rows: list[tuple[str, str]]) -> bytes:
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(["text", "label"])
    writer.writerows(rows)
    return target.getvalue().encode()


def as_jsonl(rows: list[tuple[str, str]]) -> bytes:
    return "".join(json.dumps({"text": t, "label": x}) + "\n" for t, x in rows).encode()


def as_json(rows: list[tuple[str, str]]) -> bytes:
    return json.dumps([{"text": t, "label": x} for t, x in rows]).encode()


def as_parquet(rows: list[tuple[str, str]]) -> bytes:
    buffer = io.BytesIO()
    columns = {"text": [t for t, _ in rows], "label": [x for _, x in rows]}
    pyarrow.parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("reviews", content)
    return buffer.getvalue()


FORMATS: dict[str, Callable[[list[tuple[str, str]]], bytes]] = {
    "csv": as_csv,
    "jsonl": as_jsonl,
    "json": as_json,
}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
    ".zip": zipped,
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local files are read without the network."""

    def refuse(*arguments: object) -> None:
        raise AssertionError(f"the network was used: {arguments}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def write(folder: Path, content: bytes, name: str = "reviews.csv") -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def read(source: str | None = None, **options: Any) -> Dataset:
    """Read data for the model called review."""
    return read_dataset(Options(source, **options))


def check(found: Dataset) -> None:
    assert found.rows == [text for text, _ in ROWS]
    assert found.targets.tolist() == [int(label == "pos") for _, label in ROWS]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("kind", FORMATS)
def test_every_type_is_read_exactly(tmp_path: Path, kind: str, compression: str) -> None:
    """csv, jsonl and json, plain and compressed, return the texts exactly as they were written."""
    content = COMPRESSIONS[compression](FORMATS[kind](ROWS))
    check(read(write(tmp_path, content, f"reviews.{kind}{compression}")))


def test_parquet_is_read(tmp_path: Path) -> None:
    """parquet, which has its own compression, returns the same texts."""
    check(read(write(tmp_path, as_parquet(ROWS), "reviews.parquet")))


def test_the_sample_matches_its_readme() -> None:
    """The default data: at least 400 distinct reviews, with as many of each label."""
    sample = read()
    assert len(sample.rows) >= 400
    assert sum(sample.targets) * 2 == len(sample.targets)
    assert len({text.lower() for text in sample.rows}) == len(sample.rows)
    assert str(len(sample.rows)) in (data.SAMPLE.parent / "README.md").read_text()


@pytest.mark.parametrize(
    ("zero", "one"), [("0", "1"), ("neg", "pos"), ("Negative", "POSITIVE"), ("false", "true")]
)
def test_labels_are_numbers_or_words(tmp_path: Path, zero: str, one: str) -> None:
    """0 and 1, and the usual words in any case, are labels."""
    rows = [(f"text {number}", one if number % 2 else zero) for number in range(20)]
    assert read(write(tmp_path, as_csv(rows))).targets.tolist() == [0, 1] * 10


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize(("zero", "one"), [(0, 1), (False, True), (0.0, 1.0)])
def test_labels_of_other_types_are_read(
    tmp_path: Path, kind: str, zero: object, one: object
) -> None:
    """In formats with numbers and booleans, these are labels too."""
    texts, labels = [f"text {number}" for number in range(20)], [zero, one] * 10
    if kind == "jsonl":
        rows = zip(texts, labels, strict=True)
        content = "".join(json.dumps({"text": t, "label": x}) + "\n" for t, x in rows).encode()
    else:
        buffer = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table({"text": texts, "label": labels}), buffer)
        content = buffer.getvalue()
    assert read(write(tmp_path, content, f"reviews.{kind}")).targets.tolist() == [0, 1] * 10


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": None, "label": "pos"}, "row 25 .* is empty"),
        ({"text": "text", "label": None}, "row 25 of .* is empty in column 'label'"),
    ],
)
def test_a_row_with_a_null_is_refused(
    tmp_path: Path, row: dict[str, str | None], message: str
) -> None:
    """A null is neither a review nor a label."""
    content = as_jsonl(ROWS) + json.dumps(row).encode() + b"\n"
    with pytest.raises(TrainingError, match=message):
        read(write(tmp_path, content, "reviews.jsonl"))


def test_texts_that_are_numbers_are_refused(tmp_path: Path) -> None:
    """A column of numbers is not converted to texts."""
    rows = [{"text": number, "label": number % 2} for number in range(20)]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    with pytest.raises(TrainingError, match=r"row 1 .* is not a text"):
        read(write(tmp_path, content, "reviews.jsonl"))


def test_a_file_has_no_revision() -> None:
    """A commit applies to a data set on the hub; with a file, it is an error and not ignored."""
    with pytest.raises(
        TrainingError,
        match=r"--revision applies to data sets on the hub, but .*reviews\.csv is a file",
    ):
        read(str(data.SAMPLE), revision="main")


def test_columns_that_are_not_needed_do_not_matter(tmp_path: Path) -> None:
    """A column that is neither text nor label may change its type, or have two columns' name."""
    for builder, name in (("csv", "reviews.csv"), ("jsonl", "reviews.jsonl")):
        ids = [*range(10_100), *(f"C-{number}" for number in range(300))]
        if builder == "csv":
            rows = "".join(f"{x},a film {n},{n % 2},x\n" for n, x in enumerate(ids))
            content = f"customer,text,label,customer\n{rows}"
        else:
            content = "".join(
                json.dumps({"customer": x, "text": f"a film {n}", "label": n % 2}) + "\n"
                for n, x in enumerate(ids)
            )
        found = read(write(tmp_path, content.encode(), name))
        assert found.rows[-1] == "a film 10399"
        assert found.targets.tolist() == [0, 1] * 5200


def test_a_name_is_taken_literally(tmp_path: Path) -> None:
    """Brackets and stars are part of a file's name, also where other files match them."""
    formats = {"csv": as_csv, "jsonl": as_jsonl, "parquet": as_parquet}
    for kind, as_bytes in formats.items():
        write(tmp_path, as_bytes([("another", label) for _, label in ROWS]), f"part1.{kind}")
    names = [f"{start}.{kind}" for kind in formats for start in ("part[12]", "part*", "part?")]
    for number, name in enumerate(names):
        rows = [(f"{text} {number}", label) for text, label in ROWS]
        write(tmp_path, formats[name.split(".")[1]](rows), name)
    for number, name in enumerate(names):
        assert read(str(tmp_path / name)).rows == [f"{text} {number}" for text, _ in ROWS]


def test_empty_rows_are_counted_and_can_be_left_out(tmp_path: Path) -> None:
    """One error counts rows without a text and rows without a label; `drop_empty` drops them."""
    rows = [*ROWS, ("", "pos"), ("text", ""), ("  ", "neg"), *[("", "neg")] * 5, ("", "")]
    path = write(tmp_path, as_csv(rows))
    with pytest.raises(TrainingError) as caught:
        read(path)
    assert (
        "8 rows of reviews.csv are empty in column 'text' (rows 25, 27, 28, 29, 30 and 3 more), and "
        "2 rows of reviews.csv are empty in column 'label' (rows 26 and 33)" in str(caught.value)
    )
    assert "--drop-empty" in str(caught.value)
    found = read(path, drop_empty=True)
    check(found)
    assert (
        "9 of 33 rows of reviews.csv are left out: 8 without a text and 1 without a label"
        in found.notes
    )
    assert not any("left out" in note for note in read(write(tmp_path, as_csv(ROWS))).notes)


def test_a_column_of_numbers_is_not_a_text(tmp_path: Path) -> None:
    """A column with nothing but numbers was named by mistake, in csv files too."""
    path = write(tmp_path, b"id,label\n" + b"1,0\n2.5,1\n" * 20)
    with pytest.raises(TrainingError, match=r"row 1 of reviews\.csv is not a text in column 'id'"):
        read(path, text_column="id")


def test_formats_apply_to_files_of_text_only(tmp_path: Path) -> None:
    """An encoding or a separator that a source does not have is an error and not ignored."""
    parquet = write(tmp_path, as_parquet(ROWS), "reviews.parquet")
    jsonl = write(tmp_path, as_jsonl(ROWS), "reviews.jsonl")
    with pytest.raises(TrainingError, match=r"--encoding does not apply to reviews\.parquet"):
        read(parquet, encoding="utf-8")
    with pytest.raises(TrainingError, match=r"--separator does not apply to reviews\.jsonl"):
        read(jsonl, separator=";")
    with pytest.raises(TrainingError, match="--separator does not apply to stanfordnlp/imdb"):
        read("stanfordnlp/imdb", separator=";")
    assert data.has_format(jsonl, "encoding")
    assert not data.has_format(jsonl, "separator")
    assert not data.has_format(parquet, "encoding")
    assert not data.has_format("stanfordnlp/imdb", "encoding")
    assert data.has_format("reviews.csv.gz", "separator")


def test_class_labels_of_parquet_are_read_by_name(tmp_path: Path) -> None:
    """`datasets` stores class labels as numbers; their names are the labels."""
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["ham", "spam"])}
    )
    rows = {"text": ["a", "b", "c"], "label": [1, 0, None]}
    path = tmp_path / "mail.parquet"
    datasets.Dataset.from_dict(rows, features=features).to_parquet(path)
    table = data.read_table(str(path), data.named_columns("label"))
    assert table.columns == {"label": ["spam", "ham", None]}


def test_named_columns_are_read_alone(tmp_path: Path) -> None:
    """A table holds the columns that were asked for, in that order; others are an error."""
    path = write(tmp_path, b"a,b,c\n1,2,3\n4,5,6\n")
    assert data.read_table(path, data.named_columns("c", "a")).columns == {
        "c": ["3", "6"],
        "a": ["1", "4"],
    }
    assert list(data.read_table(path).columns) == ["a", "b", "c"]
    with pytest.raises(TrainingError, match=r"reviews\.csv has no column 'd'; it has: a, b, c"):
        data.read_table(path, data.named_columns("d"))


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst", ".zip"])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str) -> None:
    """A download that stopped is an error, and not a smaller data set."""
    rows = [
        (f"text {number * 7919 % 10_007}", label) for number, (_, label) in enumerate(ROWS * 99)
    ]
    content = COMPRESSIONS[suffix](as_csv(rows))
    path = write(tmp_path, content[: len(content) // 2], f"reviews.csv{suffix}")
    with pytest.raises(TrainingError, match=r"reviews\.csv\.\w+ cannot be read as csv"):
        read(path)


def test_zip_files_hold_one_file(tmp_path: Path) -> None:
    """Its name may give the type; several files, a workbook or a password are errors."""

    def archive(name: str, *members: str) -> str:
        with zipfile.ZipFile(tmp_path / name, "w") as target:
            for member in members:
                target.writestr(member, as_csv(ROWS))
        return str(tmp_path / name)

    check(read(archive("archive.zip", "folder/reviews.csv", "__MACOSX/._reviews.csv")))
    with pytest.raises(TrainingError, match=r"holds 2 files \(a\.csv, b\.csv\), and one is needed"):
        read(archive("two.csv.zip", "a.csv", "b.csv"))
    with pytest.raises(TrainingError, match="Excel workbook; save it as CSV UTF-8"):
        read(archive("book.csv", "xl/workbook.xml", "other.xml"))


def test_compressed_files_are_recognised_by_their_content(tmp_path: Path) -> None:
    """A file that lost its extension is still read as what it is."""
    check(read(write(tmp_path, gzip.compress(as_csv(ROWS)), "reviews.csv")))


def test_columns_are_found_or_named(tmp_path: Path) -> None:
    """Usual names are found, others must be named, and an error lists the existing columns."""
    usual = as_csv(ROWS).replace(b"text,label", b"Review,sentiment", 1)
    found = read(write(tmp_path, usual))
    assert (found.columns, found.target) == (("Review",), "sentiment")
    odd = write(tmp_path, as_csv(ROWS).replace(b"text,label", b"words,verdict", 1))
    assert read(odd, text_column="words", target="verdict").columns[0] == "words"
    with pytest.raises(TrainingError, match=r"no label column.*it has: words, verdict"):
        read(odd, text_column="words")
    with pytest.raises(TrainingError, match="no column 'nope'; it has: words, verdict"):
        read(odd, text_column="nope")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:19], "19 rows; at least 20"),
        ([("text", "pos")] * 30, "the same value, 'pos', in every row"),
        ([*ROWS, ("  ", "pos")], "row 25 .*empty"),
        ([*ROWS, ("text", "maybe")], "'maybe'"),
    ],
)
def test_unusable_data_are_refused(
    tmp_path: Path, rows: list[tuple[str, str]], message: str
) -> None:
    """Too few rows, a single class, an empty text, an unknown label: each is a clear error."""
    with pytest.raises(TrainingError, match=message):
        read(write(tmp_path, as_csv(rows)))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("reviews.txt", b"x", "has no supported type"),
        ("reviews", b"x", "has no supported type"),
        ("reviews.parquet.gz", b"x", "and uncompressed parquet"),
        ("reviews.csv", b"", "is empty"),
        ("reviews.parquet", b"no parquet", "cannot be read as parquet"),
        ("reviews.csv.gz", b"no gzip", "cannot be read as csv"),
        ("reviews.jsonl", b"{no json}\n", "cannot be read as jsonl"),
        (
            "reviews.csv",
            b"text,label\n\xff\xfe,pos\n",
            "cannot be read as csv: byte 0xff in line 2",
        ),
        ("reviews.csv.zip", b"no zip", "cannot be read as csv"),
        ("reviews.zip", b"no zip", "cannot be read as zip"),
        ("reviews.csv.zst", b"no zstd", "cannot be read as csv"),
    ],
)
def test_unreadable_files_are_reported(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """A file of an unknown type, an empty or a damaged one is refused with its name and why."""
    with pytest.raises(TrainingError, match=message) as caught:
        read(write(tmp_path, content, name))
    assert name in str(caught.value)


def test_a_path_is_never_taken_for_a_data_set_on_the_hub(tmp_path: Path) -> None:
    """A source that looks like a path and does not exist is reported as a missing file."""
    for name in (str(tmp_path / "nope.csv"), "data/nope.csv", "nope.parquet", "./nope"):
        with pytest.raises(TrainingError, match="there is no file"):
            read(name)
    with pytest.raises(TrainingError, match="is a folder"):
        read(str(tmp_path))


def test_a_data_set_on_the_hub_is_pinned() -> None:
    """A data set needs a commit, since its name could mean other data tomorrow."""
    with pytest.raises(TrainingError, match="--revision"):
        read("somebody/reviews")
    assert len(data.PINNED["stanfordnlp/imdb"]) == 40


def test_an_unreachable_hub_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When the hub cannot be reached, the error is one sentence that suggests a local file."""

    def refuse(*arguments: object) -> None:
        raise ConnectionRefusedError("connection refused")

    address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 9))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: [address])
    monkeypatch.setattr(socket.socket, "connect", refuse)
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    assert main(["train", "--data", "stanfordnlp/imdb"]) == 2
    error = capsys.readouterr().err
    assert "error: stanfordnlp/imdb could not be downloaded from the hub (ConnectionError" in error
    assert "is the network reachable?" in error
    assert "--data PATH" in error
    assert "Traceback" not in error
    assert waits, "the hub's client did not retry"
