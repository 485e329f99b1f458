"""A pipeline put together again from its schema, after a look at every type that it names.

skops could read what it wrote, but would have to be imported for it, and imports all of
scikit-learn. This reads the shorter schema that `training.artifact.dump` makes, and refuses more.

A scalar of JSON is itself. Everything else is an object with a ``kind``:

============= ======================================================================================
object        of a ``type``, made without its constructor and given its ``state``
dict          ``items`` by key, and the types of its ``keys`` where not all of them are texts
list          ``items``
tuple         ``items``
set           ``items``
slice         ``items``: start, stop, step
array         an ``.npy`` file
objects       an array of objects: its ``shape`` and its flat ``items``
masked        an array with a mask: ``data``, ``mask``
scalar        a number of numpy: ``dtype`` and ``bytes`` in hexadecimal
sparse        a matrix: ``shape``, and ``arrays`` by name
vocabulary    a dict from the terms of a ``file`` to 0, 1, …, which are ``integers`` of a kind
type          the type itself
function      the function itself
partial       a ``function`` with ``arguments`` and ``keywords``
dtype         a `numpy.dtype`
tree          of a ``type``, called with ``arguments`` and given a ``state``
loss          of a ``type``, called with ``arguments``, which are numbers
search_tree   an index of neighbours, of a ``type`` and given its ``state``
metric        of a ``type``, called
random_state  `numpy.random.RandomState`
generator     `numpy.random.Generator` over PCG64: its ``state`` and its ``seed``
shared        what has this ``id`` further up
============= ======================================================================================
"""

import functools
import importlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sklearn_api.artifact.archive import Archive
from sklearn_api.artifact.arrays import read_array
from sklearn_api.artifact.checks.trees import check_estimator, construct_search_tree, construct_tree
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
from sklearn_api.artifact.vocabulary import LINES, decode_terms
from sklearn_api.errors import ArtifactError

SCHEMA = "pipeline.json"
_MAX_SCHEMA = 16 * 1024 * 1024  # JSON of this size takes 400 MB of memory at the very worst
_BYTES_FOR_TERM = 160  # what a term takes in a dict, besides its characters
_DTYPE = re.compile(r"[<>|=]?[biufcSUmM]\d{1,6}(\[[a-zA-Z0-9]{1,8}\])?")
_TRUSTED: Mapping[str, frozenset[str]] = {
    "object": TYPES,
    "tree": TREES,
    "loss": LOSSES,
    "dict": DICTS,
    "sparse": MATRICES,
    "search_tree": SEARCH_TREES,
    "metric": METRICS,
    "type": VALUE_TYPES,
    "function": FUNCTIONS,
}
_INNER = {
    "items",
    "state",
    "arguments",
    "data",
    "mask",
    "seed",
    "function",
    "keywords",
}  # where a node holds others
_KEYS: Mapping[str, Callable[[str], Any]] = {
    "builtins.str": str,
    "builtins.int": int,
    "builtins.float": float,
    "builtins.bool": {"true": True, "false": False}.__getitem__,
    "builtins.NoneType": {"null": None}.__getitem__,
}


def construct(archive: Archive, max_bytes: int) -> Any:
    """Return the pipeline in an archive.

    Parameters
    ----------
    archive : Archive
        With the members that `dump_pipeline` returns, and maybe more.
    max_bytes : int
        What vocabularies may take in memory.

    Raises
    ------
    ArtifactError
        The schema or a file is damaged, or names what is not trusted; nothing of it has run.
    """
    try:
        schema = json.loads(archive.read(SCHEMA, _MAX_SCHEMA))
    except (ValueError, RecursionError) as exc:
        raise ArtifactError(f"the artifact's {SCHEMA} is not JSON: {exc}") from exc
    _audit(schema)
    try:
        return _Constructor(archive, max_bytes).construct(schema)
    except ArtifactError:
        raise
    # Whatever a damaged schema makes numpy or scikit-learn stumble over, the artifact is to blame.
    except Exception as exc:
        raise ArtifactError(
            f"the artifact's pipeline cannot be put together: {type(exc).__name__}: {exc}"
        ) from exc


def _audit(schema: Any) -> None:
    """Refuse a schema that names what is not trusted, wherever in it."""
    untrusted = set()
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            kind, name = node.get("kind"), node.get("type")
            if not isinstance(kind, str) or kind not in _CONSTRUCTORS:
                untrusted.add(f"a node of the kind {str(kind)[:80]!r}")
            elif kind in _TRUSTED and str(name) not in _TRUSTED[kind]:
                untrusted.add(str(name)[:200])
            for inner in _INNER & node.keys():
                values = node[inner]
                # The keys of a dict are the pipeline's own, whatever they are called.
                in_dict = inner == "items" and isinstance(values, dict)
                pending.extend(values.values() if in_dict else [values])
    if untrusted:
        raise ArtifactError(
            f"the artifact holds what is not trusted: {', '.join(sorted(untrusted)[:10])}"
        )


class _Constructor:
    """Makes objects of nodes.

    Parameters
    ----------
    archive : Archive
        Holds the files that they name.
    max_bytes : int
        What vocabularies may take in memory.
    """

    def __init__(self, archive: Archive, max_bytes: int) -> None:
        self._archive = archive
        self._bytes_left = max_bytes
        self._by_id: dict[int, Any] = {}
        self._by_name: dict[str, Any] = {}

    def construct(self, node: Any) -> Any:
        """Return what a node describes."""
        if not isinstance(node, dict):
            if isinstance(node, list):
                raise _damaged("a list stands where a node belongs")
            return node
        made = _CONSTRUCTORS[node["kind"]](self, node)
        identity = node.get("id")
        if identity is not None and node["kind"] != "shared":
            self._by_id[identity] = made
        return made

    def _trusted(self, node: dict[str, Any]) -> Any:
        """Return the type or function that a node names, which has to be trusted."""
        name = node["type"]
        if name not in self._by_name:
            if name not in _TRUSTED[node["kind"]]:
                raise _damaged(f"{name} is not trusted")
            module, _, attribute = name.rpartition(".")
            self._by_name[name] = getattr(importlib.import_module(module), attribute)
        return self._by_name[name]

    def _items(self, node: dict[str, Any]) -> list[Any]:
        return [self.construct(item) for item in node["items"]]

    def _scalars(self, node: dict[str, Any]) -> list[Any]:
        items: list[Any] = node["items"]
        if any(isinstance(item, (dict, list)) for item in items):
            raise _damaged(f"a {node['kind']} holds more than numbers and texts")
        return items

    def _key(self, kind: str, key: str) -> Any:
        if kind in _KEYS:
            return _KEYS[kind](key)
        import numpy as np

        if kind not in SCALARS:
            raise _damaged(f"{kind} is no type of a key")
        number = getattr(np, kind.removeprefix("numpy."))
        return number(key == "true") if number is np.bool_ else number(key)

    def _object(self, node: dict[str, Any]) -> Any:
        made_of = self._trusted(node)
        instance = made_of.__new__(made_of)
        state = self.construct(node["state"])
        if state is not None and not isinstance(state, dict):
            raise _damaged(f"the state of {node['type']} is no dict")
        if state and hasattr(instance, "__setstate__"):
            instance.__setstate__(state)
        elif state:
            instance.__dict__.update(state)
        check_estimator(node["type"], instance)
        return instance

    def _dict(self, node: dict[str, Any]) -> Any:
        items, keys = node["items"], node.get("keys")
        made = self._trusted(node)()
        if keys is None:
            for key, value in items.items():
                made[key] = self.construct(value)
        else:
            for kind, (key, value) in zip(keys, items.items(), strict=True):
                made[self._key(kind, key)] = self.construct(value)
        return made

    def _list(self, node: dict[str, Any]) -> list[Any]:
        return self._items(node)

    def _tuple(self, node: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(self._items(node))

    def _set(self, node: dict[str, Any]) -> set[Any]:
        # Hashing tuples of tuples that are shared could take for ever.
        return set(self._scalars(node))

    def _slice(self, node: dict[str, Any]) -> slice:
        return slice(*self._scalars(node))

    def _array(self, node: dict[str, Any]) -> Any:
        return read_array(node["file"], self._archive.read(node["file"]))

    def _objects(self, node: dict[str, Any]) -> Any:
        import numpy as np

        items = self._items(node)
        array = np.empty(len(items), dtype=object)
        for number, item in enumerate(items):
            array[number] = item
        return array.reshape(tuple(node["shape"]))

    def _masked(self, node: dict[str, Any]) -> Any:
        import numpy as np

        return np.ma.MaskedArray(self.construct(node["data"]), self.construct(node["mask"]))

    def _scalar(self, node: dict[str, Any]) -> Any:
        import numpy as np

        return np.frombuffer(bytes.fromhex(node["bytes"]), self._dtype(node))[0]

    def _sparse(self, node: dict[str, Any]) -> Any:
        arrays, shape = node["arrays"], node["shape"]
        data, indices, indptr = (
            read_array(arrays[part], self._archive.read(arrays[part]))
            for part in ("data", "indices", "indptr")
        )
        matrix = self._trusted(node)((data, indices, indptr), shape=tuple(shape))
        # Products with it follow its indices without comparing them with the shape.
        matrix.check_format(full_check=True)
        if (matrix.indptr[1:] < matrix.indptr[:-1]).any():  # which is passed if nothing is stored
            raise _damaged("a sparse matrix has a row that ends before it begins")
        if indices.dtype == indptr.dtype == "int64":
            # scipy has made int32 of what is small, but not in an SVC of texts.
            matrix.indices = matrix.indices.astype("int64")
            matrix.indptr = matrix.indptr.astype("int64")
        return matrix

    def _vocabulary(self, node: dict[str, Any]) -> dict[str, Any]:
        name = node["file"]
        content = self._archive.read(name)
        most = content.count(b"\n" if name.endswith(LINES) else b",") + 1
        self._bytes_left -= len(content) + most * _BYTES_FOR_TERM
        if self._bytes_left < 0:
            raise _damaged(
                f"the vocabulary of up to {most:,} terms is too large; raise MAX_ARTIFACT_BYTES"
            )
        terms = decode_terms(name, content)
        numbers: Any = range(len(terms))
        if node["integers"] == "int64":
            import numpy as np

            numbers = np.arange(len(terms))
        vocabulary = dict(zip(terms, numbers, strict=True))
        if len(vocabulary) != len(terms):
            raise _damaged("a vocabulary holds a term twice")
        return vocabulary

    def _type(self, node: dict[str, Any]) -> Any:
        return self._trusted(node)

    def _function(self, node: dict[str, Any]) -> Any:
        return self._trusted(node)

    def _partial(self, node: dict[str, Any]) -> Any:
        if node["function"]["kind"] != "function":
            raise _damaged("a partial is not one of a function")
        arguments, keywords = self.construct(node["arguments"]), self.construct(node["keywords"])
        return functools.partial(self.construct(node["function"]), *arguments, **keywords)

    def _dtype(self, node: dict[str, Any]) -> Any:
        import numpy as np

        if not _DTYPE.fullmatch(node["dtype"]):
            raise _damaged("a dtype is not one of numbers or texts")
        return np.dtype(node["dtype"])

    def _tree(self, node: dict[str, Any]) -> Any:
        return construct_tree(
            self._trusted(node), self.construct(node["arguments"]), self.construct(node["state"])
        )

    def _loss(self, node: dict[str, Any]) -> Any:
        arguments = self.construct(node["arguments"])
        if not all(isinstance(argument, (int, float)) for argument in arguments):
            raise _damaged("a loss is not given numbers")
        return self._trusted(node)(*arguments)

    def _search_tree(self, node: dict[str, Any]) -> Any:
        return construct_search_tree(self._trusted(node), self.construct(node["state"]))

    def _metric(self, node: dict[str, Any]) -> Any:
        return self._trusted(node)()

    def _random_state(self, node: dict[str, Any]) -> Any:
        import numpy as np

        state = self.construct(node["state"])
        if not 0 <= state["state"]["pos"] <= 624:  # Mersenne twister: the next of 624 words
            raise _damaged("a random state has an impossible position")
        random_state = np.random.RandomState()
        random_state.set_state(state)
        return random_state

    def _generator(self, node: dict[str, Any]) -> Any:
        import numpy as np

        seed = self.construct(node["seed"])
        if seed["pool_size"] != 4:  # numpy's default; more is only a way to fill the memory
            raise _damaged("a random generator has an unusual seed")
        bits = np.random.PCG64(np.random.SeedSequence(**seed))
        bits.state = self.construct(node["state"])
        return np.random.Generator(bits)

    def _shared(self, node: dict[str, Any]) -> Any:
        return self._by_id[node["id"]]


_CONSTRUCTORS: Mapping[str, Callable[[_Constructor, dict[str, Any]], Any]] = {
    "object": _Constructor._object,
    "dict": _Constructor._dict,
    "list": _Constructor._list,
    "tuple": _Constructor._tuple,
    "set": _Constructor._set,
    "slice": _Constructor._slice,
    "array": _Constructor._array,
    "objects": _Constructor._objects,
    "masked": _Constructor._masked,
    "scalar": _Constructor._scalar,
    "sparse": _Constructor._sparse,
    "vocabulary": _Constructor._vocabulary,
    "type": _Constructor._type,
    "function": _Constructor._function,
    "partial": _Constructor._partial,
    "dtype": _Constructor._dtype,
    "tree": _Constructor._tree,
    "loss": _Constructor._loss,
    "search_tree": _Constructor._search_tree,
    "metric": _Constructor._metric,
    "random_state": _Constructor._random_state,
    "generator": _Constructor._generator,
    "shared": _Constructor._shared,
}


def _damaged(reason: str) -> ArtifactError:
    return ArtifactError(f"the artifact's pipeline is damaged: {reason}")
