"""Encodings: recognised where they are certain, named otherwise, and never guessed."""

import codecs
import gzip
from pathlib import Path

import pytest

from training.data import read_table
from training.errors import TrainingError

ROWS = "text,label\nthe café – naïve £5,1\n"
COLUMNS = {"text": ["the café – naïve £5"], "label": ["1"]}


def write(folder: Path, content: bytes, name: str = "data.csv") -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz"])
@pytest.mark.parametrize(
    ("mark", "encoding", "noted"),
    [
        (b"", "utf-8", False),
        (codecs.BOM_UTF8, "utf-8", False),
        (codecs.BOM_UTF16_LE, "utf-16-le", True),
        (codecs.BOM_UTF16_BE, "utf-16-be", True),
        (codecs.BOM_UTF32_LE, "utf-32-le", True),
    ],
)
def test_marks_are_recognised(
    tmp_path: Path, mark: bytes, encoding: str, noted: bool, name: str
) -> None:
    """A byte order mark decides, and is not part of the first column's name."""
    content = mark + ROWS.encode(encoding)
    path = write(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name)
    found = read_table(path)
    assert found.columns == COLUMNS
    assert bool(found.notes) == noted
    named = read_table(path, encoding=encoding)
    assert named.columns == COLUMNS


@pytest.mark.parametrize("encoding", ["cp1252", "Windows-1252", "utf-16-le", "UTF8", "cp1250"])
def test_encodings_can_be_named(tmp_path: Path, encoding: str) -> None:
    """Every encoding that Python knows can be named; nothing is reported then."""
    rows = ROWS.replace("£", "").replace("ï", "i")
    found = read_table(write(tmp_path, rows.encode(encoding)), encoding=encoding)
    assert found.columns["text"] == ["the café – naive 5"]
    assert found.notes == ()


def test_json_files_have_encodings_too(tmp_path: Path) -> None:
    """`--encoding` and the mark apply to json and jsonl files."""
    row = '{"text": "café", "label": 1}\n'
    for name in ("data.json", "data.jsonl"):
        assert read_table(write(tmp_path, row.encode("cp1252"), name), encoding="cp1252").columns[
            "text"
        ] == ["café"]
        for encoding in ("utf-8-sig", "utf-16"):
            path = write(tmp_path, row.encode(encoding), name)
            assert read_table(path).columns == {"text": ["café"], "label": [1]}
        with pytest.raises(TrainingError, match="byte 0xe9 in line 1, at offset 13, is not UTF-8"):
            read_table(write(tmp_path, row.encode("cp1252"), name))


@pytest.mark.parametrize("lines", [0, 40_000, 100_000])
def test_other_encodings_are_refused_with_what_to_try(tmp_path: Path, lines: int) -> None:
    """The error names the first byte, its line and offset, and shows how cp1252 would read it."""
    start = "text,label\n" + "see you tomorrow at eight,0\n" * lines
    path = write(tmp_path, (start + "a – at the café,1\nnaïve,0\n").encode("cp1252"))
    with pytest.raises(TrainingError) as caught:
        read_table(path)
    assert str(caught.value).startswith(
        f"data.csv cannot be read as csv: byte 0x96 in line {lines + 2:,}, at offset "
        f"{len(start) + 2:,}, is not UTF-8; try --encoding cp1252, which reads “a – at the café,1” "
        "there, or others such as cp1250"
    )


def test_no_reading_is_shown_that_is_none(tmp_path: Path) -> None:
    """Bytes that cp1252 does not have are not shown as its text."""
    path = write(tmp_path, b"text,label\n\x81\x8d,1\n")
    with pytest.raises(TrainingError, match="try --encoding cp1252, or others such as"):
        read_table(path)


def test_a_damaged_byte_in_utf_8_is_no_reason_to_change_the_encoding(tmp_path: Path) -> None:
    """Another encoding would spoil the other characters, so the error says to repair the line."""
    content = "text,label\ncafé,1\nnaïve,0\n".encode() + b"caf\xe9,1\n"
    with pytest.raises(TrainingError, match=r"byte 0xe9 in line 4, .*repair that line") as caught:
        read_table(write(tmp_path, content))
    assert "--encoding" not in str(caught.value)


def test_a_named_encoding_must_decode_the_file(tmp_path: Path) -> None:
    """A byte that it does not have is an error that names it; so is a mark that contradicts it."""
    with pytest.raises(TrainingError, match=r"byte 0x81 in line 2, at offset 11, is not CP1252"):
        read_table(write(tmp_path, b"text,label\n\x81,1\n"), encoding="cp1252")
    with pytest.raises(TrainingError, match=r"mark of utf-8, so it cannot be cp1252; leave out"):
        read_table(write(tmp_path, codecs.BOM_UTF8 + ROWS.encode()), encoding="cp1252")


@pytest.mark.parametrize("name", ["klingon", "hex", ""])
def test_unknown_encodings_are_refused(tmp_path: Path, name: str) -> None:
    """The error suggests usual ones."""
    with pytest.raises(TrainingError, match=rf"--encoding {name} does not exist; usual ones are"):
        read_table(write(tmp_path, ROWS.encode()), encoding=name)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_recognised_but_must_be_named(
    tmp_path: Path, encoding: str
) -> None:
    """Its zero bytes give it away."""
    path = write(tmp_path, ROWS.encode(encoding))
    with pytest.raises(TrainingError, match=f"zero byte at offset [01]: try --encoding {encoding}"):
        read_table(path)
