"""Adding an endpoint with scripts/new."""

import ast
import difflib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.lib import configuration
from scripts.lib.new import add, endpoint
from scripts.lib.project import ROOT, ScriptError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the parts of the project that matter."""
    shutil.copytree(ROOT / "handlers", tmp_path / "handlers")
    shutil.copy(ROOT / "serverless.yml", tmp_path)
    (tmp_path / "tests" / "integration" / "endpoints").mkdir(parents=True)
    return tmp_path


def content(root: Path) -> dict[str, bytes | None]:
    """Return the content of each file, and None for each folder, by the path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }


def test_an_endpoint_is_a_folder_a_line_and_a_test(root: Path) -> None:
    """One line of serverless.yml is new, below the last function; every other line stays."""
    before = (root / "serverless.yml").read_text()
    there = content(root)
    written = add(endpoint("house-prices", memory=512), root)
    after = (root / "serverless.yml").read_text()
    changes = [
        line
        for line in difflib.ndiff(before.splitlines(), after.splitlines())
        if not line.startswith("  ")
    ]
    assert changes == ["+   house-prices: ${file(handlers/house_prices/function.yml)}"]
    assert set(content(root)) - set(there) == {
        "handlers/house_prices",
        *(path for path in written if path != "serverless.yml"),
    }
    function = configuration.functions(root)["house-prices"]
    assert function["environment"] == {"MODEL_NAME": "house-prices"}
    assert function["memorySize"] == 512
    assert function["handler"] == "handlers/house_prices/handler.handler"
    assert configuration.post_path(function) == "/house-prices"
    assert configuration.served_models(root)["house-prices"] == "/house-prices"
    for path in written:
        if path.endswith(".py"):
            ast.parse((root / path).read_text())
            assert "{" not in (root / path).read_text().replace("{**endpoint.example", "")


def test_the_example_is_what_it_makes(root: Path) -> None:
    """The endpoint of the example `churn` is the one that this script makes: nothing is special."""
    written = remake("churn", root)
    assert content(root) == {
        **content(root),
        **{path: (ROOT / path).read_bytes() for path in written},
    }


def test_review_differs_by_its_handler_alone(root: Path) -> None:
    """The declaration of `review` is an ordinary one, too; its handler names an alias."""
    remake("review", root)
    file = "handlers/review/function.yml"
    assert (root / file).read_text() == (ROOT / file).read_text()


def remake(name: str, root: Path) -> list[str]:
    """Remove an endpoint from a copy of the project, and make it again."""
    shutil.rmtree(root / "handlers" / name)
    file = root / "serverless.yml"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith(f"  {name}:")))
    return add(endpoint(name), root)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Churn",), "not a valid name"),
        (("house_prices",), "not a valid name"),
        (("2024-churn",), "not a valid name"),
        (("churn-",), "not a valid name"),
        (("../churn",), "not a valid name"),
        (("",), "not a valid name"),
        (("a" * 40,), "characters"),
        (("health",), "taken"),
        (("import",), "a word of Python"),
        (("x", "x"), "path 'x' is not valid"),
        (("x", "/"), "path '/' is not valid"),
        (("x", "/../y"), "is not valid"),
        (("x", "/a b"), "is not valid"),
        (("x", "/x", 64), "Lambda offers 128 to 10240 MB"),
        (("x", "/review"), "POST /review is answered by the function review already"),
        (("review",), "exists already"),
    ],
)
def test_what_cannot_be_is_refused(root: Path, arguments: tuple[Any, ...], message: str) -> None:
    """A bad name, path or size is refused with what is allowed, and nothing is written."""
    before = content(root)
    with pytest.raises(ScriptError, match=message):
        add(endpoint(*arguments), root)
    assert content(root) == before


def test_a_second_run_says_that_it_exists(root: Path) -> None:
    """Running it again changes nothing, and says where the endpoint is."""
    add(endpoint("tickets"), root)
    before = content(root)
    with pytest.raises(ScriptError, match=r"exists already: see handlers/tickets/"):
        add(endpoint("tickets"), root)
    assert content(root) == before


@pytest.mark.parametrize(
    "left", ["handlers/tickets/note", "tests/integration/endpoints/test_tickets.py"]
)
def test_files_that_are_in_the_way_are_kept(root: Path, left: str) -> None:
    """A folder or test of that name that serverless.yml does not know is never overwritten."""
    (root / left).parent.mkdir(exist_ok=True)
    (root / left).write_text("mine")
    before = content(root)
    with pytest.raises(ScriptError, match="does not list tickets"):
        add(endpoint("tickets"), root)
    assert content(root) == before


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("method", ["write_text", "rename", "replace", "chmod", "mkdir"])
def test_ctrl_c_leaves_nothing_behind(
    root: Path, monkeypatch: pytest.MonkeyPatch, method: str, late: bool
) -> None:
    """Interrupted before or after any step, it leaves the project as it was."""
    before = content(root)
    at = calls = 0
    original: Callable[..., Any] = getattr(Path, method)

    def interrupted(path: Path, *arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at and not late:
            raise KeyboardInterrupt
        result = original(path, *arguments, **options)
        if calls == at:
            raise KeyboardInterrupt
        return result

    while True:
        at, calls = at + 1, 0
        with monkeypatch.context() as patch:
            patch.setattr(Path, method, interrupted)
            try:
                add(endpoint("tickets"), root)
                break
            except KeyboardInterrupt:
                pass
        assert content(root) == before
    assert at > 1, f"{method} is never called"
    assert calls == at - 1


def test_a_disk_error_leaves_nothing_behind(root: Path) -> None:
    """If a file cannot be written, the project is as it was."""
    shutil.rmtree(root / "tests")
    (root / "tests").write_text("no folder")
    before = content(root)
    with pytest.raises(ScriptError, match=r"cannot be written: .*tests"):
        add(endpoint("tickets"), root)
    assert content(root) == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("functions:\n  a: {x: 1}", "functions:\n  a: {x: 1}\n  new: LINE\n"),
        (
            "functions: # all\n  a:\n    x: 1\n\n  # of b\n  b:\n    x: |\n      y\n\n# layers\nlayers: {}\n",
            "functions: # all\n  a:\n    x: 1\n\n  # of b\n  b:\n    x: |\n      y\n  new: LINE\n\n# layers\nlayers: {}\n",
        ),
    ],
)
def test_the_line_has_its_place(root: Path, text: str, expected: str) -> None:
    """The line comes after the last function, whatever comments surround it."""
    (root / "serverless.yml").write_text(text.replace("x: 1", "events: []"))
    add(endpoint("new"), root)
    line = "${file(handlers/new/function.yml)}"
    assert (root / "serverless.yml").read_text() == expected.replace("x: 1", "events: []").replace(
        "LINE", line
    )


@pytest.mark.parametrize(
    "text",
    [
        "functions: {a: {events: []}}\n",
        "functions:\n    a: {events: []}\n",
        "x: 1\n",
        "functions: [\n",
        "functions: ${file(functions.yml)}\n",
    ],
)
def test_an_unusual_configuration_is_left_to_its_author(root: Path, text: str) -> None:
    """Where the line would not be a function, nothing is written."""
    (root / "serverless.yml").write_text(text)
    before = content(root)
    with pytest.raises(ScriptError):
        add(endpoint("tickets"), root)
    assert content(root) == before
