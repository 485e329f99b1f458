"""csv and tsv files: separators, headers, and rows that do not fit."""

import csv
from pathlib import Path

import pytest

from training.data import read_table
from training.errors import TrainingError


def write(folder: Path, text: str, name: str = "data.csv") -> str:
    path = folder / name
    path.write_bytes(text.encode())
    return str(path)


@pytest.mark.parametrize(
    ("separator", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars"), (",", "")]
)
def test_separators_are_recognised_and_reported(tmp_path: Path, separator: str, name: str) -> None:
    """The header and the first rows show the separator; any but a comma is reported."""
    others = "".join({",", ";", "|"} - {separator})
    rows = f'text{separator}label\nfine{others} really{separator}1\n"a{separator}b"{separator}0\n'
    found = read_table(write(tmp_path, rows))
    assert found.columns["text"] == [f"fine{others} really", f"a{separator}b"]
    assert found.columns["label"] == ["1", "0"]
    assert found.notes == ((f"the fields of data.csv are separated by {name}",) if name else ())


def test_tsv_files_have_tabs(tmp_path: Path) -> None:
    """That needs no note, but another separator in a tsv file does."""
    assert read_table(write(tmp_path, "text\tlabel\na, b\t1\n", "data.tsv")).notes == ()
    (note,) = read_table(write(tmp_path, "text,label\na,1\n", "data.tsv")).notes
    assert "separated by commas" in note


def test_the_rows_decide_where_the_header_has_two_separators(tmp_path: Path) -> None:
    """A name with a comma in it does not make commas the separator."""
    found = read_table(write(tmp_path, "text;label (0, 1)\nyes, it works;1\nno;0\n"))
    assert found.columns == {"text": ["yes, it works", "no"], "label (0, 1)": ["1", "0"]}


def test_undecided_separators_are_refused(tmp_path: Path) -> None:
    """Where two of them split all rows evenly, the user decides."""
    path = write(tmp_path, "a;b|c\n1;2|3\n")
    with pytest.raises(
        TrainingError, match=r"separated by semicolons or bars; name .* --separator"
    ):
        read_table(path)
    assert read_table(path, separator="bar").columns == {"a;b": ["1;2"], "c": ["3"]}


@pytest.mark.parametrize("named", [";", "semicolon", "Semicolon"])
def test_separators_can_be_named(tmp_path: Path, named: str) -> None:
    """As a character or by its name; then nothing is guessed or reported."""
    found = read_table(write(tmp_path, "a,b;c\n1,2;3\n"), separator=named)
    assert found.columns == {"a,b": ["1,2"], "c": ["3"]}
    assert found.notes == ()


@pytest.mark.parametrize("named", ["", "::", '"', "\n"])
def test_separators_are_single_characters(tmp_path: Path, named: str) -> None:
    """Others are refused with what is possible."""
    with pytest.raises(TrainingError, match=r"--separator is .* must be one character, or one of"):
        read_table(write(tmp_path, "a,b\n1,2\n"), separator=named)


def test_the_separator_that_excel_writes_into_the_file_is_used(tmp_path: Path) -> None:
    """A first line such as `sep=;` names the separator and is no row."""
    path = write(tmp_path, "sep=;\r\ntext;label\r\na, b;1\r\nc;2;3\r\n")
    with pytest.raises(TrainingError, match=r"row 2 of data\.csv \(line 4\) has 3 fields"):
        read_table(path)
    assert read_table(write(tmp_path, "sep=;\r\na;b\r\n1;2\r\n")).columns == {
        "a": ["1"],
        "b": ["2"],
    }


def test_blanks_around_names_are_left_out(tmp_path: Path) -> None:
    """`text, label` has the columns text and label, and blanks before their values do not count."""
    found = read_table(write(tmp_path, 'text , label\n"a, b", "1, 2"\n c , d\n'))
    assert found.columns == {"text": ["a, b", "c "], "label": ["1, 2", "d"]}
    kept = read_table(write(tmp_path, "text,label \n a , 1\n"))
    assert kept.columns == {"text": [" a "], "label": [" 1"]}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("one, two,1", r"row 3 of data\.csv \(line 5\) has 3 fields, but the header has 2: 'one' , ' two' , '1'"),
        ("one", r"row 3 of data\.csv \(line 5\) has 1 field, but the header has 2: 'one'"),
        ("x" * 99 + ",1,", "'x{40}…' , '1' , ''"),
        (",".join("abcdefgh"), "8 fields, .*'f' …"),
    ],
)  # fmt: skip
def test_a_row_with_another_number_of_fields_is_refused(
    tmp_path: Path, row: str, message: str
) -> None:
    """The error names the first such row, its line in the file, its fields, and the remedy."""
    path = write(tmp_path, f'text,label\n"two\nlines",0\n"a",1\n{row}\nmore, and more,1\n')
    with pytest.raises(TrainingError, match=message) as caught:
        read_table(path)
    assert "contains a comma must be in double quotes" in str(caught.value)


def test_an_unquoted_comma_in_every_row_is_refused(tmp_path: Path) -> None:
    """The first field is never taken for the name of the row."""
    path = write(tmp_path, "text,label\n" + "bad service, hello team,0\n" * 30)
    with pytest.raises(TrainingError, match=r"row 1 of data\.csv \(line 2\) has 3 fields"):
        read_table(path)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ('a,1\n"never closed,0\nb,1\n', r"row 2 of data\.csv \(line 3\) has a quote that is never"),
        ('"He said "hi" to me",1\n', r"row 1 of data\.csv \(line 2\) has text after the closing"),
        ('a,1\n"open,0\nb,1\nc "quoted",1\n', r"row 2 .*\(line 3\) .* \(it ends in line 5\)"),
    ],
)
def test_wrong_quotes_are_refused(tmp_path: Path, rows: str, message: str) -> None:
    """A quote that is not closed would swallow the rows after it; the error says where it opens."""
    with pytest.raises(TrainingError, match=message):
        read_table(write(tmp_path, f"text,label\n{rows}"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n \n", "is empty"),
        ("text,label\n", r"data\.csv has a header but no rows"),
        ("text,label\n\n\n", r"data\.csv has a header but no rows"),
        (",,\na,b,c\n", r"the first row of data\.csv is blank; it must name the columns"),
        ("text,label, text\na,b,c\n", r"data\.csv has 2 columns with the name 'text'; rename"),
        ('"text\n', r"the header of data\.csv \(line 1\) has a quote that is never closed"),
    ],
)
def test_files_without_a_usable_header_or_rows_are_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    """Each is one clear sentence."""
    with pytest.raises(TrainingError, match=message):
        read_table(write(tmp_path, text))


def test_a_column_without_a_name_is_not_read(tmp_path: Path) -> None:
    """Such as the index that pandas writes; a note says so."""
    found = read_table(write(tmp_path, ",text,label\n0,a,1\n1,b,0\n"))
    assert found.columns == {"text": ["a", "b"], "label": ["1", "0"]}
    assert found.notes == ("column 1 of data.csv has no name and is not read",)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system_are_read(tmp_path: Path, end: str) -> None:
    """Also the old Macintosh's, blank lines, and other line ends inside of quotes."""
    rows = ["", "text,label", "a\x85\x0bb,1", "  ", '"c\n\r\nd\r",0', ""]
    found = read_table(write(tmp_path, end.join(rows)))
    assert found.columns == {"text": ["a\x85\x0bb", "c\n\r\nd\r"], "label": ["1", "0"]}


def test_fields_may_have_any_length(tmp_path: Path) -> None:
    """The csv module's limit is lifted for the file, and restored after it."""
    before = csv.field_size_limit()
    long = "word " * 100_000
    assert read_table(write(tmp_path, f"text,label\n{long},1\n")).columns["text"] == [long]
    assert csv.field_size_limit() == before


def test_zero_bytes_are_refused(tmp_path: Path) -> None:
    """A text with one is damaged, wherever it is."""
    start = "text,label\n" + "a,1\n" * 1000
    with pytest.raises(TrainingError, match=r"row 1001 of data\.csv has a zero byte"):
        read_table(write(tmp_path, f"{start}b\0,1\n"))
    with pytest.raises(TrainingError, match=r"data\.csv has a zero byte at offset 12"):
        read_table(write(tmp_path, "text,label\na\0,1\n"))
