"""What a schema may name: trusted types and functions, and what an endpoint declares."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from sklearn.svm import SVC

from sklearn_api.artifact.archive import Archive
from sklearn_api.artifact.construct import SCHEMA, construct
from sklearn_api.errors import ArtifactError
from tests.helpers import steps
from tests.helpers.stored import LIMIT
from training.artifact.dump import dump_pipeline
from training.artifact.members import write_archive


def read(members: dict[str, bytes], *own_code: str) -> Any:
    """Return what the members describe, with this code of one's own."""
    return construct(Archive(write_archive(members), LIMIT), LIMIT, own_code)


def read_node(kind: str, name: str, *own_code: str) -> Any:
    """Return what a node with a kind and a name describes."""
    node: dict[str, Any] = {"kind": kind, "type": name, "state": None, "items": {}, "arguments": []}
    return read({SCHEMA: json.dumps(node).encode()}, *own_code)


TOKENIZE, SHOUT, TEXT = (f"{steps.MODULE}.{name}" for name in ("tokenize", "Shout", "NOT_CALLABLE"))


def test_objects_types_and_functions_may_be_ones_own() -> None:
    """A declared name is allowed beside the trusted ones."""
    assert read_node("function", TOKENIZE, TOKENIZE) is steps.tokenize
    assert read_node("type", SHOUT, SHOUT) is steps.Shout
    assert type(read_node("object", SHOUT, TOKENIZE, SHOUT)) is steps.Shout
    assert read_node("type", "builtins.int", SHOUT) is int


@pytest.mark.parametrize(
    "kind", ["tree", "loss", "dict", "named_tuple", "sparse", "search_tree", "metric"]
)
def test_no_other_kind_of_node_may_name_them(kind: str) -> None:
    """What is called with arguments of the artifact is on the list of trusted names only."""
    with pytest.raises(ArtifactError, match=rf"not on the list of trusted names: {SHOUT}"):
        read_node(kind, SHOUT, SHOUT)


@pytest.mark.parametrize("declared", [TOKENIZE, "tests", "tests.helpers.*", "shout", SHOUT.lower()])
def test_only_the_full_name_counts(declared: str) -> None:
    """Neither a package nor a pattern nor a similar name allows anything."""
    with pytest.raises(ArtifactError, match="not on the list of trusted names"):
        read_node("object", SHOUT, declared)


def test_nothing_is_imported_before_the_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If one name of a schema is not allowed, the module of another one is not imported."""
    (tmp_path / "own_module_of_a_test.py").write_text("def step(): ...")
    monkeypatch.syspath_prepend(tmp_path)
    own = {"kind": "function", "type": "own_module_of_a_test.step"}
    schema = {"kind": "list", "items": [own, {"kind": "function", "type": "os.system"}]}
    with pytest.raises(ArtifactError, match=r"names: os\.system$"):
        read({SCHEMA: json.dumps(schema).encode()}, "own_module_of_a_test.step")
    assert "own_module_of_a_test" not in sys.modules
    assert callable(read({SCHEMA: json.dumps(own).encode()}, "own_module_of_a_test.step"))


@pytest.mark.parametrize(
    "content", ["", "step = ", "import no_such_module", "raise RuntimeError"], ids=repr
)
def test_code_that_cannot_be_imported_is_named(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says which name is not in the function's package, or fails there."""
    module = f"broken_{len(content)}"
    (tmp_path / f"{module}.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ArtifactError, match=rf"{module}\.step, which own_code names, cannot be imp"
    ):
        read_node("function", f"{module}.step", f"{module}.step")


@pytest.mark.parametrize(
    ("kind", "name"),
    [("function", SHOUT), ("object", TOKENIZE), ("type", TOKENIZE), ("function", TEXT)],
)
def test_a_name_has_to_be_of_the_kind_that_was_stored(kind: str, name: str) -> None:
    """If a function has become a class since, or anything else, the artifact is refused."""
    with pytest.raises(ArtifactError, match=rf"{name}, which own_code names, is not the {kind}"):
        read_node(kind, name, name)


def test_a_type_that_derives_from_one_that_is_checked_is_checked_as_well() -> None:
    """Another name does not keep libsvm from reading beyond the end of an array."""
    name = f"{steps.MODULE}.Machine"
    rows, labels = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    for machine in (SVC(), steps.Machine()):
        members = dump_pipeline(machine.fit(rows, labels), [name])
        assert read(members, name).predict(rows).tolist() == labels
        schema = json.loads(members[SCHEMA])
        schema["state"]["items"]["_n_support"] = schema["state"]["items"]["classes_"]
        with pytest.raises(ArtifactError, match="support vector"):
            read({**members, SCHEMA: json.dumps(schema).encode()}, name)
