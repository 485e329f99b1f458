"""Dumps a fitted pipeline into a schema in JSON, and files of arrays and vocabularies.

skops does the dumping (https://skops.readthedocs.io/en/stable/persistence.html): it knows what a
fitted estimator consists of, without pickling. This module adds two things.

Before skops runs, vocabularies are taken out of the pipeline. skops writes half a kilobyte of JSON
for each term, so that 500,000 terms take minutes and gigabytes.

Afterwards, skops's schema is rewritten in a shorter form, without anything that differs from one
process to the next: memory addresses, the order of sets, the padding of records.
`sklearn_api.artifact.construct` describes the kinds of nodes and constructs pipelines from them.
"""

import copy
import io
import itertools
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from sklearn_api.artifact import trusted
from sklearn_api.artifact.construct import SCHEMA
from sklearn_api.errors import ArtifactError
from training.artifact.advice import advice, foreign
from training.artifact.contents import contents, find_vocabularies, without_searches
from training.artifact.members import clean_array, encode_terms
from training.artifact.own_code import check_own_code

_SPLINE = ("scipy.interpolate._bsplines", "BSpline")

Node = Any
"""A JSON value: a scalar is itself, and everything else is an object with a ``kind``."""


def dump_pipeline(pipeline: object, own_code: Collection[str] = ()) -> dict[str, bytes]:
    """Return the members of an artifact that describe a pipeline, which is not changed.

    A search over parameters is dumped as its best estimator.

    Parameters
    ----------
    pipeline : estimator
        A fitted estimator.
    own_code : collection of str
        Full names of types and functions that it may contain beside the trusted ones.

    Raises
    ------
    ArtifactError
        The pipeline contains a type that is not trusted or cannot be stored; the message names it.
    """
    import skops.io

    try:
        pipeline = without_searches(pipeline)
        check_own_code(pipeline, own_code)
        vocabularies, memo = find_vocabularies(pipeline)
        # Where the memo has an entry for the id of an object, `deepcopy` uses it instead.
        dumped = skops.io.dumps(copy.deepcopy(pipeline, memo) if vocabularies else pipeline)
    except ArtifactError:
        raise
    # Whatever skops or a type in the pipeline raises, the pipeline cannot be stored.
    except Exception as exc:
        raise _not_dumped(pipeline, exc) from exc
    with zipfile.ZipFile(io.BytesIO(dumped)) as source:
        files = {name: source.read(name) for name in source.namelist()}
    dumper = _Dumper(json.loads(files.pop("schema.json")), files, vocabularies, own_code)
    return dumper.members()


def _not_dumped(pipeline: object, cause: Exception) -> ArtifactError:
    """Return the error for a pipeline with a type that skops or `deepcopy` fails for."""
    types = map(type, contents(pipeline))
    names = foreign(f"{one.__module__}.{one.__qualname__}" for one in types)
    hint = f"; it contains {', '.join(names[:10])}: {advice(names)}" if names else ""
    return ArtifactError(
        f"the pipeline cannot be dumped: {type(cause).__name__}: {str(cause)[:500]}{hint}"
    )


class _Dumper:
    """Dumps nodes of skops's schema; the counterpart of `construct._Constructor`.

    Parameters
    ----------
    root : dict
        skops's schema.
    files : mapping
        skops's files, by name.
    vocabularies : mapping
        Vocabularies, by the ``__id__`` of the nodes that replace them.
    own_code : collection of str
        Names that are trusted as well.
    """

    def __init__(
        self,
        root: dict[str, Any],
        files: Mapping[str, bytes],
        vocabularies: Mapping[int, dict[str, Any]],
        own_code: Collection[str],
    ) -> None:
        self._root = root
        self._files = files
        self._vocabularies = vocabularies
        self._own = frozenset(own_code)
        self._untrusted: set[str] = set()
        self._numbers: dict[int, int] = {}
        self._counter = itertools.count(1)
        self._members: dict[str, bytes] = {}
        self._names: dict[tuple[str, bytes], str] = {}
        self._serials: dict[str, Iterator[int]] = {}
        self._uses = Counter(node["__id__"] for node in _nodes(root) if "__id__" in node)

    def members(self) -> dict[str, bytes]:
        """Return the schema and its files as members of an artifact."""
        schema = self.dump(self._root)
        if self._untrusted:
            raise ArtifactError(
                "the pipeline contains types or functions that are not on the list of trusted "
                f"names: {', '.join(sorted(self._untrusted))}; {advice(self._untrusted)}"
            )
        content = json.dumps(schema, separators=(",", ":")).encode()
        return {SCHEMA: content, **self._members}

    def dump(self, node: dict[str, Any]) -> Node:
        """Return the node of an artifact's schema for a node of skops's."""
        loader = node["__loader__"]
        if loader == "JsonNode":
            value = json.loads(node["content"])
            if isinstance(value, (dict, list)):
                raise ArtifactError(f"the pipeline contains a {_name(node)} that cannot be stored")
            return value
        identity = node["__id__"]
        if identity in self._numbers:
            return self._shared(identity)
        # Nothing inside a node is dumped before it is known how to dump the node itself.
        dump_kind = _DUMPERS.get(loader)
        if dump_kind is None:
            self._untrusted.add(f"{_name(node)} ({loader.removesuffix('Node').lower()})")
            return None
        dumped = dump_kind(self, node)
        if self._uses[identity] > 1 and dumped["kind"] not in ("type", "function", "dtype"):
            self._numbers[identity] = dumped["id"] = next(self._counter)
        return dumped

    def _trusted(self, node: dict[str, Any], trusted: frozenset[str]) -> str:
        name = _name(node)
        if name not in trusted:
            self._untrusted.add(name)
        return name

    def _file(self, kind: str, ending: str, content: bytes) -> str:
        """Return the name of the member with this content, which is stored only once."""
        if (kind, content) not in self._names:
            number = next(self._serials.setdefault(kind, itertools.count()))
            name = f"{kind}-{number}{ending}"
            self._members[name] = content
            self._names[kind, content] = name
        return self._names[kind, content]

    def _items(self, node: dict[str, Any]) -> list[Node]:
        return [self.dump(item) for item in node["content"]]

    def _object(self, node: dict[str, Any]) -> Node:
        name, state = _name(node), node.get("content")
        if name == ".".join(_SPLINE):
            return self._spline(node)
        if name in trusted.METRICS:
            return self._metric(node)
        if name in trusted.SEARCH_TREES and state:
            return self._search_tree(node)
        self._trusted(node, trusted.TYPES | self._own)
        if state and state["__loader__"] == "DictNode" and "_stop_words_id" in state["content"]:
            # A memory address, of the stop words that were checked last. After loading, another
            # object could have the same address; none has 0.
            state["content"]["_stop_words_id"]["content"] = "0"
        return {"kind": "object", "type": name, "state": state and self.dump(state)}

    def _dict(self, node: dict[str, Any]) -> Node:
        if node["__id__"] in self._vocabularies:
            return self._vocabulary(node)
        keys = [_name(key) for key in node["key_types"]["content"]]
        if len(keys) != len(node["content"]):
            raise ArtifactError("the pipeline contains a dict with keys that are equal in JSON")
        items = {key: self.dump(value) for key, value in node["content"].items()}
        dumped = {"kind": "dict", "type": self._trusted(node, trusted.DICTS), "items": items}
        return dumped if set(keys) <= {"builtins.str"} else {**dumped, "keys": keys}

    def _list(self, node: dict[str, Any]) -> Node:
        self._trusted(node, frozenset(("builtins.list",)))
        return {"kind": "list", "items": self._items(node)}

    def _tuple(self, node: dict[str, Any]) -> Node:
        name = self._trusted(node, trusted.NAMED_TUPLES | {"builtins.tuple"})
        if name in trusted.NAMED_TUPLES:
            return {"kind": "named_tuple", "type": name, "items": self._items(node)}
        return {"kind": "tuple", "items": self._items(node)}

    def _set(self, node: dict[str, Any]) -> Node:
        self._trusted(node, frozenset(("builtins.set",)))
        items = self._items(node)
        items.sort(key=lambda item: (type(item).__name__, json.dumps(item)))
        return {"kind": "set", "items": items}

    def _slice(self, node: dict[str, Any]) -> Node:
        bounds = node["content"]
        return {"kind": "slice", "items": [bounds["start"], bounds["stop"], bounds["step"]]}

    def _array(self, node: dict[str, Any]) -> Node:
        if node["type"] == "json":
            return self._objects(node)
        if self._trusted(node, trusted.SCALARS | {"numpy.ndarray"}) != "numpy.ndarray":
            return self._scalar(node)
        content = clean_array(self._files[node["file"]])
        return {"kind": "array", "file": self._file("array", ".npy", content)}

    def _objects(self, node: dict[str, Any]) -> Node:
        shape = [self.dump(length) for length in node["shape"]["content"]]
        items = node["content"]
        for _ in shape[1:]:
            items = [item for row in items for item in row["content"]]
        return {"kind": "objects", "shape": shape, "items": [self.dump(item) for item in items]}

    def _masked(self, node: dict[str, Any]) -> Node:
        parts = node["content"]
        return {
            "kind": "masked",
            "data": self.dump(parts["data"]),
            "mask": self.dump(parts["mask"]),
        }

    def _scalar(self, node: dict[str, Any]) -> Node:
        import numpy as np

        scalar = np.load(io.BytesIO(self._files[node["file"]]), allow_pickle=False)
        return {"kind": "scalar", "dtype": scalar.dtype.str, "bytes": scalar.tobytes().hex()}

    def _sparse(self, node: dict[str, Any]) -> Node:
        """Dump a sparse matrix from the zip that scipy writes, inside the zip that skops writes."""
        import numpy as np

        name = self._trusted(node, trusted.MATRICES)
        with zipfile.ZipFile(io.BytesIO(self._files[node["file"]])) as source:
            parts = {one.removesuffix(".npy"): source.read(one) for one in source.namelist()}
        shape = np.load(io.BytesIO(parts["shape"]), allow_pickle=False).tolist()
        arrays = {
            part: self._file("array", ".npy", parts[part])
            for part in ("data", "indices", "indptr")
            if part in parts  # A type that is not trusted may have other arrays.
        }
        return {"kind": "sparse", "type": name, "shape": shape, "arrays": arrays}

    def _spline(self, node: dict[str, Any]) -> Node:
        state = node["content"]
        if (
            state["__loader__"] == "TupleNode"
        ):  # in newer versions of scipy: what computes, and a namespace
            state = state["content"][0]["content"]
        fields = state["content"]
        if self.dump(fields["axis"]) != 0:
            raise ArtifactError("the pipeline contains a spline with an axis other than 0")
        return {
            "kind": "spline",
            "knots": self._array(fields["t"])["file"],
            "coefficients": self._array(fields["c"])["file"],
            "degree": self._integer(fields["k"]),
            "extrapolate": self.dump(fields["extrapolate"]),
        }

    def _integer(self, node: dict[str, Any]) -> int:
        """Return an integer, which may be one of numpy's."""
        import numpy as np

        if node["__loader__"] == "JsonNode":
            return int(self.dump(node))
        return int(np.load(io.BytesIO(self._files[node["file"]]), allow_pickle=False))

    def _vocabulary(self, node: dict[str, Any]) -> Node:
        vocabulary = self._vocabularies[node["__id__"]]
        terms = sorted(vocabulary, key=vocabulary.__getitem__)
        integers = type(next(iter(vocabulary.values()))).__name__
        file = self._file("vocabulary", *encode_terms(terms))
        return {"kind": "vocabulary", "file": file, "integers": integers}

    def _type(self, node: dict[str, Any]) -> Node:
        return {"kind": "type", "type": self._trusted(node, trusted.VALUE_TYPES | self._own)}

    def _function(self, node: dict[str, Any]) -> Node:
        return {"kind": "function", "type": self._trusted(node, trusted.FUNCTIONS | self._own)}

    def _partial(self, node: dict[str, Any]) -> Node:
        parts = node["content"]
        return {
            "kind": "partial",
            "function": self.dump(parts["func"]),
            "arguments": self.dump(parts["args"]),
            "keywords": self.dump(parts["kwds"]),
        }

    def _dtype(self, node: dict[str, Any]) -> Node:
        import numpy as np

        if node["content"]["type"] == "json":  # how skops dumps an array of objects
            return {"kind": "dtype", "dtype": "|O"}
        empty = np.load(io.BytesIO(self._files[node["content"]["file"]]), allow_pickle=False)
        return {"kind": "dtype", "dtype": empty.dtype.str}

    def _tree(self, node: dict[str, Any]) -> Node:
        return {
            "kind": "tree",
            "type": self._trusted(node, trusted.TREES),
            "arguments": self.dump(node["__reduce__"]["args"]),
            "state": self.dump(node["content"]),
        }

    def _loss(self, node: dict[str, Any]) -> Node:
        arguments = self.dump(node["__reduce__"]["args"])
        return {"kind": "loss", "type": self._trusted(node, trusted.LOSSES), "arguments": arguments}

    def _search_tree(self, node: dict[str, Any]) -> Node:
        name = self._trusted(node, trusted.SEARCH_TREES)
        return {"kind": "search_tree", "type": name, "state": self.dump(node["content"])}

    def _metric(self, node: dict[str, Any]) -> Node:
        return {"kind": "metric", "type": self._trusted(node, trusted.METRICS)}

    def _random_state(self, node: dict[str, Any]) -> Node:
        return {"kind": "random_state", "state": self.dump(node["content"])}

    def _generator(self, node: dict[str, Any]) -> Node:
        parts = node["content"]
        return {
            "kind": "generator",
            "state": self.dump(parts["bit_generator"]),
            "seed": self.dump(parts["seed_seq"]),
        }

    def _shared(self, identity: int) -> Node:
        return {"kind": "shared", "id": self._numbers[identity]}


_DUMPERS: Mapping[str, Callable[[_Dumper, dict[str, Any]], dict[str, Any]]] = {
    "ObjectNode": _Dumper._object,
    "DictNode": _Dumper._dict,
    "ListNode": _Dumper._list,
    "TupleNode": _Dumper._tuple,
    "SetNode": _Dumper._set,
    "SliceNode": _Dumper._slice,
    "NdArrayNode": _Dumper._array,
    "MaskedArrayNode": _Dumper._masked,
    "SparseMatrixNode": _Dumper._sparse,
    "TypeNode": _Dumper._type,
    "FunctionNode": _Dumper._function,
    "PartialNode": _Dumper._partial,
    "DTypeNode": _Dumper._dtype,
    "TreeNode": _Dumper._tree,
    "LossNode": _Dumper._loss,
    "RandomStateNode": _Dumper._random_state,
    "RandomGeneratorNode": _Dumper._generator,
}


def _name(node: Mapping[str, Any]) -> str:
    """Return the full name of the type or function that skops gives for a node."""
    module = node["__module__"]
    if module == "_loss":  # scikit-learn 1.7 calls it that, but cannot import it as such
        module = "sklearn._loss._loss"
    return f"{module}.{node['__class__']}"


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in a value, except for those in splines, which share nothing."""
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            yield current
            if (current.get("__module__"), current.get("__class__")) != _SPLINE:
                pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)
