"""Arguments that several commands share: names, lists of columns, words for labels, examples."""

import argparse
import re
from collections.abc import Sequence

from training.errors import TrainingError
from training.names import check_name

_UNESCAPED_COMMA = re.compile(r"(?<!\\)(?:\\\\)*,")
_ESCAPED = re.compile(r"\\([\\,=])")


def add_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    description: str,
    examples: str,
) -> argparse.ArgumentParser:
    """Add a command whose help ends with examples, one a line."""
    indented = "".join(f"\n  {line}" for line in examples.split("\n"))
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=f"examples:{indented}",
        formatter_class=_Formatter,
    )


class _Formatter(argparse.HelpFormatter):
    """Wraps descriptions, and keeps the lines of examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("examples:"):
            return text
        return super()._fill_text(text, width, indent)


def add_file_format(parser: argparse._ActionsContainer) -> None:
    """Add the options that say how a file is written."""
    parser.add_argument(
        "--encoding",
        metavar="NAME",
        help="encoding of csv, tsv, jsonl and json files, such as cp1252 (Windows, Western Europe) "
        "or utf-16; default: UTF-8, or what the file's byte order mark says",
    )
    parser.add_argument(
        "--separator",
        metavar="CHARACTER",
        help="what separates the fields of csv and tsv files: a character, or comma, semicolon, "
        "tab or bar; default: what the first rows show",
    )


def add_signature_options(parser: argparse._ActionsContainer) -> None:
    """Add the options that decide what clients send and see."""
    parser.add_argument(
        "--labels",
        metavar="CLASS=WORD,...",
        action="append",
        default=[],
        help="what clients see for each class, such as '0=stays,1=leaves'; write a comma inside a "
        "word as '\\,', or repeat the option for each class; default: the classes themselves",
    )
    parser.add_argument(
        "--integers",
        metavar="COLUMN,...",
        action="append",
        default=[],
        help="columns of a table that hold a whole number in every request; default: columns "
        "without gaps in the data may be missing in a request",
    )


def model_name(text: str) -> str:
    """Return a model's name, for argparse."""
    try:
        return check_name(text)
    except TrainingError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc


def positive(text: str) -> int:
    """Return a whole number of at least 1, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def columns(given: Sequence[str], option: str) -> tuple[str, ...]:
    r"""Return names of columns from an option that was given any number of times.

    Parameters
    ----------
    given : sequence of str
        Values of the option: names that are separated by commas. ``\,`` is a comma in a name.
    option : str
        The option, for messages.

    Raises
    ------
    TrainingError
        A name is empty.
    """
    names = [_plain(part).strip() for text in given for part in _parts(text)]
    if not all(names):
        raise TrainingError(
            f"{option} {','.join(given)} has an empty name of a column; names are separated by "
            "single commas"
        )
    return tuple(dict.fromkeys(names))


def words(given: Sequence[str]) -> dict[str, str]:
    r"""Return what clients see for each class, from the values of ``--labels``.

    Parameters
    ----------
    given : sequence of str
        Pairs such as ``0=stays``, which are separated by commas. ``\,`` and ``\=`` are a comma and
        an equals sign in a class or a word. A comma needs no backslash if the option is given
        several times, with one pair each.

    Raises
    ------
    TrainingError
        Something is not a pair, or a class or a word occurs twice.
    """
    found: dict[str, str] = {}
    for text in given:
        alone = len(given) > 1 and len(re.findall(r"(?<!\\)=", text)) == 1
        for part in [text] if alone else _parts(text):
            pair = re.split(r"(?<!\\)=", part, maxsplit=1)
            label, word = (_plain(half).strip() for half in (*pair, "")[:2])
            if len(pair) < 2 or not label or not word:
                raise TrainingError(
                    f"--labels: {part.strip()!r} is not a pair of a class and a word, such as "
                    "0=stays; write a comma inside a word as '\\,', or repeat --labels for each "
                    "class"
                )
            if label in found:
                raise TrainingError(f"--labels gives class {label} twice")
            if word in found.values():
                raise TrainingError(
                    f"--labels gives the word {word!r} twice; clients could not tell the classes "
                    "apart"
                )
            found[label] = word
    return found


def _parts(text: str) -> list[str]:
    parts, start = [], 0
    for match in _UNESCAPED_COMMA.finditer(text):
        parts.append(text[start : match.end() - 1])
        start = match.end()
    return [*parts, text[start:]]


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
