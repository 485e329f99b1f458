"""A model's signature: what goes in, and what comes out.

It is a member of the artifact. Serving, reports and clients read it there, and nothing else says it
twice. An example::

    {"kind": "table", "task": "binary",
     "inputs": [{"name": "tenure", "type": "number", "nullable": true, "categories": null,
                 "closed": false, "example": 3.0, "objects": false, "missing": "NaN"}, …],
     "labels": [{"label": 0, "word": "stays"}, {"label": 1, "word": "leaves"}]}
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sklearn_api.errors import ArtifactError

SIGNATURE = "signature.json"
"""The member of an artifact."""

TEXT, TABLE = KINDS = ("text", "table")
BINARY, MULTICLASS, MULTILABEL = CLASSIFICATIONS = ("binary", "multiclass", "multilabel")
REGRESSION, CLUSTER, OUTLIER = "regression", "cluster", "outlier"
TASKS = (*CLASSIFICATIONS, REGRESSION, CLUSTER, OUTLIER)
STRING, NUMBER, INTEGER, BOOLEAN = TYPES = ("string", "number", "integer", "boolean")

MAX_BYTES = 4 * 1024 * 1024
NAN = float("nan")

LabelValue = bool | int | float | str


class Input(NamedTuple):
    """A field of an instance, and how the pipeline sees its values.

    Attributes
    ----------
    name : str
        The field.
    type : str
        One of `TYPES`.
    nullable : bool
        Whether a client may leave it out, or send null, for a missing value.
    categories : tuple or None
        The values that the pipeline was fitted on, where they are few and known.
    closed : bool
        Whether the pipeline fails on any value that is not among `categories`.
    example : bool, int, float, str or None
        A value from the sample.
    objects : bool
        Whether an array of it is one of Python objects. Strings are always objects, and so are
        numbers in a column of dtype ``object``: encoders store such categories as objects, which
        they cannot compare with floats. Booleans are as well: a DataFrame of numbers and booleans
        is an array of objects.
    missing : float or None
        What the pipeline takes for a missing value: NaN, or None where the DataFrame held None.
        To most estimators None is a category like any other, and NaN is a gap.
    """

    name: str
    type: str
    nullable: bool = True
    categories: tuple[LabelValue, ...] | None = None
    closed: bool = False
    example: LabelValue | None = None
    objects: bool = False
    missing: float | None = NAN

    def value(self, value: Any) -> Any:
        """Return a value of JSON as the pipeline saw it.

        A client's JSON has one kind of number: 3 may arrive as 3.0, and 3.0 as 3.

        Raises
        ------
        ValueError, TypeError, OverflowError
            A number cannot be read as one. Requests are to be checked before.
        """
        if value is None:
            return self.missing
        if self.type == NUMBER:
            return float(value)
        if self.type == INTEGER and isinstance(value, float) and value.is_integer():
            return int(value)
        return value


class Label(NamedTuple):
    """A class, a cluster, or one of several labels.

    Attributes
    ----------
    label : bool, int, float or str
        As the estimator has it.
    word : str
        What clients see.
    """

    label: LabelValue
    word: str


class Signature(NamedTuple):
    """What goes into a model, and what comes out of it.

    Attributes
    ----------
    kind : str
        ``text``: one string; ``table``: named columns.
    task : str
        One of `TASKS`.
    inputs : tuple of Input
        In the order in which the pipeline was fitted; one for a text.
    labels : tuple of Label
        In the order of the probabilities; empty for a regression.
    """

    kind: str
    task: str
    inputs: tuple[Input, ...]
    labels: tuple[Label, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the signature as JSON has it."""
        return {
            "kind": self.kind,
            "task": self.task,
            "inputs": [
                {
                    **one._asdict(),
                    "categories": None if one.categories is None else list(one.categories),
                    "missing": None if one.missing is None else "NaN",
                }
                for one in self.inputs
            ],
            "labels": [one._asdict() for one in self.labels],
        }

    def to_json(self) -> bytes:
        """Return the signature as the content of a member."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False).encode()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Signature":
        """Return a signature from what `to_dict` returned.

        Raises
        ------
        ArtifactError
            It is not a signature.
        """
        try:
            signature = cls(
                values["kind"],
                values["task"],
                tuple(_input(one) for one in values["inputs"]),
                tuple(Label(one["label"], one["word"]) for one in values["labels"]),
            )
            _check(signature)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise ArtifactError(
                f"the artifact's {SIGNATURE} is damaged: {type(exc).__name__}: {str(exc)[:200]}"
            ) from exc
        return signature

    @classmethod
    def from_json(cls, content: bytes) -> "Signature":
        """Return the signature in a member.

        Raises
        ------
        ArtifactError
            It is not a signature.
        """
        try:
            values = json.loads(content)
        except (ValueError, RecursionError) as exc:
            raise ArtifactError(f"the artifact's {SIGNATURE} is not JSON") from exc
        return cls.from_dict(values)


def _input(values: Mapping[str, Any]) -> Input:
    categories = values["categories"]
    return Input(
        values["name"],
        values["type"],
        values["nullable"],
        None if categories is None else tuple(categories),
        values["closed"],
        values["example"],
        values["objects"],
        {"NaN": NAN, None: None}[values["missing"]],
    )


def _check(signature: Signature) -> None:
    """Raise `ValueError` or `TypeError` for a signature that nothing could be served by."""
    names = [one.name for one in signature.inputs]
    words = [one.word for one in signature.labels]
    if signature.kind not in KINDS or signature.task not in TASKS:
        raise ValueError(f"kind {signature.kind!r} or task {signature.task!r} is unknown")
    if not names or (signature.kind == TEXT and len(names) != 1):
        raise ValueError(f"{len(names)} inputs")
    if not all(isinstance(text, str) and text for text in (*names, *words)):
        raise TypeError("a name or a word is not a string, or is empty")
    if len(set(names)) < len(names) or len(set(words)) < len(words):
        raise ValueError("a name or a word occurs twice")
    if not all(isinstance(one.label, LabelValue) for one in signature.labels):
        raise TypeError("a label is not a value of JSON")
    if bool(words) == (signature.task == REGRESSION):
        raise ValueError(f"{len(words)} labels for the task {signature.task}")
    for one in signature.inputs:
        flags = (one.nullable, one.closed, one.objects)
        if one.type not in TYPES or not all(isinstance(flag, bool) for flag in flags):
            raise ValueError(f"the input {one.name!r} is not described")
