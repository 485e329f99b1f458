"""A fitted pipeline taken apart, into a schema in JSON and files of arrays and vocabularies.

skops takes it apart (https://skops.readthedocs.io/en/stable/persistence.html): it knows what a
fitted estimator consists of, without pickling. Two things are done for it here.

Before, vocabularies are taken out. skops spends half a kilobyte of JSON on each term, so that
500,000 of them take minutes and gigabytes.

After, its schema is written shorter, and without what differs from one process to the next: memory
addresses, the order of sets, the padding of records. `sklearn_api.artifact.construct` describes the
kinds of nodes, and reads them.
"""

import copy
import io
import itertools
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sklearn_api.artifact.construct import SCHEMA
from sklearn_api.artifact.trusted import (
    DICTS,
    FUNCTIONS,
    LOSSES,
    MATRICES,
    METRICS,
    SCALARS,
    SEARCH_TREES,
    TREES,
    TYPES,
    VALUE_TYPES,
)
from sklearn_api.errors import ArtifactError
from training.artifact.members import encode_terms

_SEQUENCES = frozenset(("builtins.list", "builtins.tuple", "builtins.set"))

Node = Any
"""A value of JSON: a scalar for itself, an object with a ``kind`` for everything else."""


def dump_pipeline(pipeline: object) -> dict[str, bytes]:
    """Return the members of an artifact that make up a pipeline; it stays as it is.

    Parameters
    ----------
    pipeline : estimator
        Fitted.

    Raises
    ------
    ArtifactError
        It holds a type that is not trusted, or that cannot be stored; the message names it.
    """
    import skops.io

    vocabularies, memo = _find(pipeline)
    try:
        # `deepcopy` puts in place of an object what its memo holds under the object's id.
        dumped = skops.io.dumps(copy.deepcopy(pipeline, memo) if vocabularies else pipeline)
    # Whatever skops or a type of the pipeline stumbles over, the pipeline cannot be stored.
    except Exception as exc:
        raise ArtifactError(
            f"the pipeline cannot be taken apart: {type(exc).__name__}: {exc}"
        ) from exc
    with zipfile.ZipFile(io.BytesIO(dumped)) as source:
        files = {name: source.read(name) for name in source.namelist()}
    writer = _Writer(json.loads(files.pop("schema.json")), files, vocabularies)
    return writer.members()


def _find(pipeline: object) -> tuple[dict[int, dict[str, Any]], dict[int, Any]]:
    """Return the vocabularies in a pipeline, and a memo for `deepcopy`.

    The vocabularies stand under the ids of the empty dicts that the memo puts in their place. The
    memo also spares arrays from being copied.
    """
    import numpy as np

    vocabularies: dict[int, dict[str, Any]] = {}
    memo: dict[int, Any] = {}
    seen: set[int] = set()
    pending: list[Any] = [pipeline]
    while pending:
        value = pending.pop()
        if id(value) in seen or isinstance(value, (str, bytes, type)):
            continue
        seen.add(id(value))
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            memo[id(value)] = value
        elif isinstance(value, np.ndarray):
            pending.extend(value.flat)
        elif _is_vocabulary(value):
            memo[id(value)] = {}
            vocabularies[id(memo[id(value)])] = value
        elif isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, (list, tuple, set)):
            pending.extend(value)
        elif hasattr(value, "__dict__"):
            pending.extend(vars(value).values())
    return vocabularies, memo


def _is_vocabulary(value: object) -> bool:
    """Whether it maps texts to the numbers from 0 on, all of one type."""
    import numpy as np

    if type(value) is not dict or not value or set(map(type, value)) != {str}:
        return False
    if set(map(type, value.values())) not in ({int}, {np.int64}):
        return False
    return sorted(value.values()) == list(range(len(value)))


class _Writer:
    """Turns what skops wrote into the members of an artifact.

    Parameters
    ----------
    root : dict
        skops's schema.
    files : mapping
        skops's files, by name.
    vocabularies : mapping
        By the ``__id__`` of the nodes that stand in their place.
    """

    def __init__(
        self,
        root: dict[str, Any],
        files: Mapping[str, bytes],
        vocabularies: Mapping[int, dict[str, Any]],
    ) -> None:
        self._root = root
        self._files = files
        self._vocabularies = vocabularies
        self._untrusted: set[str] = set()
        self._numbers: dict[int, int] = {}
        self._counter = itertools.count(1)
        self._members: dict[str, bytes] = {}
        self._names: dict[tuple[str, bytes], str] = {}
        self._serials: dict[str, Iterator[int]] = {}
        self._uses = Counter(node["__id__"] for node in _nodes(root) if "__id__" in node)

    def members(self) -> dict[str, bytes]:
        """Return the schema and its files."""
        schema = self._node(self._root)
        if self._untrusted:
            raise ArtifactError(
                "the pipeline holds what is not trusted: "
                f"{', '.join(sorted(self._untrusted))}; use estimators of scikit-learn, or add "
                "it to sklearn_api/artifact/trusted.py after a review"
            )
        content = json.dumps(schema, separators=(",", ":")).encode()
        return {SCHEMA: content, **self._members}

    def _node(self, node: dict[str, Any]) -> Node:
        loader = node["__loader__"]
        if loader == "JsonNode":
            value = json.loads(node["content"])
            if isinstance(value, (dict, list)):
                raise ArtifactError(f"the pipeline holds a {_type(node)} that cannot be stored")
            return value
        identity = node["__id__"]
        if identity in self._numbers:
            return {"kind": "shared", "id": self._numbers[identity]}
        # `_type` is what the node builds; no other node is entered before it is known.
        writer = _WRITERS.get(loader)
        if writer is None:
            self._untrusted.add(f"{_type(node)} ({loader.removesuffix('Node').lower()})")
            return None
        written = writer(self, node)
        if self._uses[identity] > 1 and written["kind"] not in ("type", "function", "dtype"):
            self._numbers[identity] = written["id"] = next(self._counter)
        return written

    def _trusted(self, node: dict[str, Any], trusted: frozenset[str]) -> str:
        name = _type(node)
        if name not in trusted:
            self._untrusted.add(name)
        return name

    def _file(self, kind: str, ending: str, content: bytes) -> str:
        """Return the name of a member with this content, which is stored once."""
        if (kind, content) not in self._names:
            number = next(self._serials.setdefault(kind, itertools.count()))
            name = f"{kind}-{number}{ending}"
            self._members[name] = content
            self._names[kind, content] = name
        return self._names[kind, content]

    def _object(self, node: dict[str, Any]) -> Node:
        name = _type(node)
        if name in METRICS:
            return {"kind": "metric", "type": name}
        state = node.get("content")
        if name in SEARCH_TREES and state:
            return {"kind": "search_tree", "type": name, "state": self._node(state)}
        self._trusted(node, TYPES)
        if state and state["__loader__"] == "DictNode" and "_stop_words_id" in state["content"]:
            # The address of the stop words that were checked last: no other object's later.
            state["content"]["_stop_words_id"]["content"] = "0"
        return {"kind": "object", "type": name, "state": state and self._node(state)}

    def _dict(self, node: dict[str, Any]) -> Node:
        if node["__id__"] in self._vocabularies:
            return self._vocabulary(self._vocabularies[node["__id__"]])
        keys = [_type(key) for key in node["key_types"]["content"]]
        if len(keys) != len(node["content"]):
            raise ArtifactError("the pipeline holds a dict with keys that JSON writes the same")
        items = {key: self._node(value) for key, value in node["content"].items()}
        written = {"kind": "dict", "type": self._trusted(node, DICTS), "items": items}
        return written if set(keys) <= {"builtins.str"} else {**written, "keys": keys}

    def _vocabulary(self, vocabulary: dict[str, Any]) -> Node:
        terms = sorted(vocabulary, key=vocabulary.__getitem__)
        integers = type(next(iter(vocabulary.values()))).__name__
        file = self._file("vocabulary", *encode_terms(terms))
        return {"kind": "vocabulary", "file": file, "integers": integers}

    def _sequence(self, node: dict[str, Any]) -> Node:
        kind = self._trusted(node, _SEQUENCES).removeprefix("builtins.")
        return {"kind": kind, "items": [self._node(item) for item in node["content"]]}

    def _set(self, node: dict[str, Any]) -> Node:
        written = self._sequence(node)
        written["items"].sort(key=lambda item: (type(item).__name__, json.dumps(item)))
        return written

    def _array(self, node: dict[str, Any]) -> Node:
        import numpy as np

        if node["type"] == "json":
            shape = [self._node(length) for length in node["shape"]["content"]]
            items = node["content"]
            for _ in shape[1:]:
                items = [item for row in items for item in row["content"]]
            return {
                "kind": "objects",
                "shape": shape,
                "items": [self._node(item) for item in items],
            }
        self._trusted(node, SCALARS | {"numpy.ndarray"})
        content = self._files[node["file"]]
        if _type(node) == "numpy.ndarray":
            return {"kind": "array", "file": self._file("array", ".npy", _clean(content))}
        scalar = np.load(io.BytesIO(content), allow_pickle=False)
        return {"kind": "scalar", "dtype": scalar.dtype.str, "bytes": scalar.tobytes().hex()}

    def _masked(self, node: dict[str, Any]) -> Node:
        parts = node["content"]
        return {
            "kind": "masked",
            "data": self._node(parts["data"]),
            "mask": self._node(parts["mask"]),
        }

    def _sparse(self, node: dict[str, Any]) -> Node:
        """Take a sparse matrix out of the zip in the zip that scipy writes."""
        import numpy as np

        name = self._trusted(node, MATRICES)
        with zipfile.ZipFile(io.BytesIO(self._files[node["file"]])) as source:
            parts = {one.removesuffix(".npy"): source.read(one) for one in source.namelist()}
        shape = np.load(io.BytesIO(parts["shape"]), allow_pickle=False).tolist()
        arrays = {
            part: self._file("array", ".npy", parts[part])
            for part in ("data", "indices", "indptr")
            if part in parts  # of a type that is not trusted, other ones
        }
        return {"kind": "sparse", "type": name, "shape": shape, "arrays": arrays}

    def _type_object(self, node: dict[str, Any]) -> Node:
        return {"kind": "type", "type": self._trusted(node, VALUE_TYPES)}

    def _function(self, node: dict[str, Any]) -> Node:
        return {"kind": "function", "type": self._trusted(node, FUNCTIONS)}

    def _partial(self, node: dict[str, Any]) -> Node:
        parts = node["content"]
        return {
            "kind": "partial",
            "function": self._node(parts["func"]),
            "arguments": self._node(parts["args"]),
            "keywords": self._node(parts["kwds"]),
        }

    def _dtype(self, node: dict[str, Any]) -> Node:
        import numpy as np

        empty = np.load(io.BytesIO(self._files[node["content"]["file"]]), allow_pickle=False)
        return {"kind": "dtype", "dtype": empty.dtype.str}

    def _slice(self, node: dict[str, Any]) -> Node:
        bounds = node["content"]
        return {"kind": "slice", "items": [bounds["start"], bounds["stop"], bounds["step"]]}

    def _tree(self, node: dict[str, Any]) -> Node:
        return {
            "kind": "tree",
            "type": self._trusted(node, TREES),
            "arguments": self._node(node["__reduce__"]["args"]),
            "state": self._node(node["content"]),
        }

    def _loss(self, node: dict[str, Any]) -> Node:
        arguments = self._node(node["__reduce__"]["args"])
        return {"kind": "loss", "type": self._trusted(node, LOSSES), "arguments": arguments}

    def _random_state(self, node: dict[str, Any]) -> Node:
        return {"kind": "random_state", "state": self._node(node["content"])}

    def _generator(self, node: dict[str, Any]) -> Node:
        parts = node["content"]
        return {
            "kind": "generator",
            "state": self._node(parts["bit_generator"]),
            "seed": self._node(parts["seed_seq"]),
        }


_WRITERS: Mapping[str, Callable[[_Writer, dict[str, Any]], dict[str, Any]]] = {
    "ObjectNode": _Writer._object,
    "DictNode": _Writer._dict,
    "ListNode": _Writer._sequence,
    "TupleNode": _Writer._sequence,
    "SetNode": _Writer._set,
    "NdArrayNode": _Writer._array,
    "MaskedArrayNode": _Writer._masked,
    "SparseMatrixNode": _Writer._sparse,
    "TypeNode": _Writer._type_object,
    "FunctionNode": _Writer._function,
    "PartialNode": _Writer._partial,
    "DTypeNode": _Writer._dtype,
    "SliceNode": _Writer._slice,
    "TreeNode": _Writer._tree,
    "LossNode": _Writer._loss,
    "RandomStateNode": _Writer._random_state,
    "RandomGeneratorNode": _Writer._generator,
}


def _type(node: Mapping[str, Any]) -> str:
    """Return the full name of what skops says that a node is."""
    module = node["__module__"]
    if module == "_loss":  # so scikit-learn 1.7 calls it, and cannot import it by that name
        module = "sklearn._loss._loss"
    return f"{module}.{node['__class__']}"


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in a value."""
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            yield current
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)


def _clean(content: bytes) -> bytes:
    """Return an ``.npy`` file without what stood by chance in the memory of its records."""
    import numpy as np

    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    if {"left_child", "missing_go_to_left"} <= set(array.dtype.names):
        # Of a leaf of a tree this is never set, nor read.
        clean["missing_go_to_left"][clean["left_child"] == -1] = 0
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
    return buffer.getvalue()
