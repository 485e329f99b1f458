"""Constructs a pipeline from its schema, after an audit of every type that the schema names.

skops could read the schemas that it writes, but importing it imports all of scikit-learn
(docs/decisions/0008-skops-dumps-pipelines.md). This module reads the shorter schema that
`training.artifact.dump` writes, and it accepts less.

A JSON scalar is the value itself. Everything else is an object with a ``kind``:

============= ======================================================================================
object        instance of a ``type``, made without calling its constructor, and its ``state``
dict          dict of a ``type``: ``items`` by key, and the types of the ``keys`` unless all are str
list          list of ``items``
tuple         tuple of ``items``
named_tuple   named tuple of a ``type`` and ``items``
set           set of ``items``
slice         slice; its ``items`` are start, stop and step
array         array in an ``.npy`` ``file``
objects       array of objects: its ``shape``, and its ``items`` as a flat list
masked        masked array of ``data`` and ``mask``
scalar        numpy scalar: its ``dtype``, and its ``bytes`` in hexadecimal
sparse        sparse matrix of a ``type``: its ``shape``, and the files of its ``arrays`` by name
spline        B-spline: the files of its ``knots`` and ``coefficients``, its ``degree``, and whether
              to ``extrapolate``
vocabulary    dict from the terms in a ``file`` to 0, 1, … as ``integers`` of this type
type          the ``type`` itself
function      the function itself, named as ``type``
partial       `functools.partial` of a ``function``, ``arguments`` and ``keywords``
dtype         `numpy.dtype`
tree          decision tree of a ``type``, called with ``arguments``, and its ``state``
loss          loss function of a ``type``, called with ``arguments``, which are numbers
search_tree   index of nearest neighbours, of a ``type``, and its ``state``
metric        distance metric of a ``type``, called without arguments
random_state  `numpy.random.RandomState` in a ``state``
generator     `numpy.random.Generator` over PCG64: its ``state`` and its ``seed``
shared        the object that an earlier node with this ``id`` describes
============= ======================================================================================
"""

import functools
import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sklearn_api.artifact import trusted
from sklearn_api.artifact.archive import Archive
from sklearn_api.artifact.arrays import read_array
from sklearn_api.artifact.checks.splines import construct_spline
from sklearn_api.artifact.checks.trees import check_estimator, construct_search_tree, construct_tree
from sklearn_api.artifact.names import Names
from sklearn_api.artifact.vocabulary import LINES, decode_terms
from sklearn_api.errors import ArtifactError

SCHEMA = "pipeline.json"
_MAX_SCHEMA = 16 * 1024 * 1024  # JSON of this size takes 400 MB of memory in the worst case
_BYTES_FOR_TERM = 160  # memory that a term takes in a dict, not counting its characters
_DTYPE = re.compile(r"[<>|=]?[biufcSUmM]\d{1,6}(\[[a-zA-Z0-9]{1,8}\])?")
_KEYS: Mapping[str, Callable[[str], Any]] = {
    "builtins.str": str,
    "builtins.int": int,
    "builtins.float": float,
    "builtins.bool": {"true": True, "false": False}.__getitem__,
    "builtins.NoneType": {"null": None}.__getitem__,
}


def construct(archive: Archive, max_bytes: int, own_code: Collection[str] = ()) -> Any:
    """Return the pipeline in an archive.

    Parameters
    ----------
    archive : Archive
        Contains the members that `dump_pipeline` returns, and maybe others.
    max_bytes : int
        Memory that vocabularies may take.
    own_code : collection of str
        Full names of types and functions that the schema may name beside the trusted ones. An
        object of such a type is made by its `__new__`, without arguments, and given its state by
        its `__setstate__`, or in its `__dict__`; `__init__` and `__reduce__` are not called.

    Raises
    ------
    ArtifactError
        The schema or a file is damaged, or the schema names a type or function that is not
        trusted. In the latter case nothing has been imported, constructed or called.
    """
    try:
        schema = json.loads(archive.read(SCHEMA, _MAX_SCHEMA))
    except (ValueError, RecursionError) as exc:
        raise ArtifactError(f"the artifact's {SCHEMA} is not JSON: {exc}") from exc
    names = Names(own_code)
    names.audit(schema, _CONSTRUCTORS.keys())
    try:
        return _Constructor(archive, max_bytes, names).construct(schema)
    except ArtifactError:
        raise
    # Whatever numpy or scikit-learn raises about a damaged schema, the artifact is to blame.
    except Exception as exc:
        raise ArtifactError(
            f"the artifact's pipeline cannot be constructed: {type(exc).__name__}: {exc}"
        ) from exc


class _Constructor:
    """Constructs objects from nodes; the counterpart of `training.artifact.dump._Dumper`.

    Parameters
    ----------
    archive : Archive
        Contains the files that the nodes name.
    max_bytes : int
        Memory that vocabularies may take.
    names : Names
        Types and functions that the nodes may name.
    """

    def __init__(self, archive: Archive, max_bytes: int, names: Names) -> None:
        self._archive = archive
        self._bytes_left = max_bytes
        self._find = names.find
        self._by_id: dict[int, Any] = {}

    def construct(self, node: Any) -> Any:
        """Return the object that a node describes."""
        if not isinstance(node, dict):
            if isinstance(node, list):
                raise _damaged("it has a list in place of a node")
            return node
        made = _CONSTRUCTORS[node["kind"]](self, node)
        identity = node.get("id")
        if identity is not None and node["kind"] != "shared":
            self._by_id[identity] = made
        return made

    def _items(self, node: dict[str, Any]) -> list[Any]:
        return [self.construct(item) for item in node["items"]]

    def _scalars(self, node: dict[str, Any]) -> list[Any]:
        items: list[Any] = node["items"]
        if any(isinstance(item, (dict, list)) for item in items):
            raise _damaged(f"a {node['kind']} contains more than numbers and strings")
        return items

    def _key(self, kind: str, key: str) -> Any:
        if kind in _KEYS:
            return _KEYS[kind](key)
        import numpy as np

        if kind not in trusted.SCALARS:
            raise _damaged(f"a dict has keys of the untrusted type {kind}")
        number = getattr(np, kind.removeprefix("numpy."))
        return number(key == "true") if number is np.bool_ else number(key)

    def _object(self, node: dict[str, Any]) -> Any:
        type_ = self._find(node)
        instance = type_.__new__(type_)
        state = self.construct(node["state"])
        if state is not None and not isinstance(state, dict):
            raise _damaged(f"the state of {node['type']} is not a dict")
        if state and hasattr(instance, "__setstate__"):
            instance.__setstate__(state)
        elif state:
            instance.__dict__.update(state)
        check_estimator(instance)
        return instance

    def _dict(self, node: dict[str, Any]) -> Any:
        items, keys = node["items"], node.get("keys")
        made = self._find(node)()
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

    def _named_tuple(self, node: dict[str, Any]) -> tuple[Any, ...]:
        made: tuple[Any, ...] = self._find(node)(*self._items(node))
        return made

    def _set(self, node: dict[str, Any]) -> set[Any]:
        # Scalars only: hashing nested tuples that are shared could take forever.
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

        dtype = self._dtype(node)
        if dtype.hasobject:  # Bytes are not objects, but addresses of objects.
            raise _damaged("a scalar is an object")
        return np.frombuffer(bytes.fromhex(node["bytes"]), dtype)[0]

    def _sparse(self, node: dict[str, Any]) -> Any:
        arrays, shape = node["arrays"], node["shape"]
        data, indices, indptr = (
            read_array(arrays[part], self._archive.read(arrays[part]))
            for part in ("data", "indices", "indptr")
        )
        matrix = self._find(node)((data, indices, indptr), shape=tuple(shape))
        # Matrix products follow the indices without comparing them with the shape.
        matrix.check_format(full_check=True)
        # The check above does not find this in a matrix without stored values.
        if (matrix.indptr[1:] < matrix.indptr[:-1]).any():
            raise _damaged("a sparse matrix has a row that ends before it starts")
        if indices.dtype == indptr.dtype == "int64":
            # scipy converts small indices to int32, but an SVC fitted on texts keeps int64.
            matrix.indices = matrix.indices.astype("int64")
            matrix.indptr = matrix.indptr.astype("int64")
        return matrix

    def _spline(self, node: dict[str, Any]) -> Any:
        knots, coefficients = (
            read_array(node[part], self._archive.read(node[part]))
            for part in ("knots", "coefficients")
        )
        return construct_spline(knots, coefficients, node["degree"], node["extrapolate"])

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
            raise _damaged("a vocabulary contains a term twice")
        return vocabulary

    def _type(self, node: dict[str, Any]) -> Any:
        return self._find(node)

    def _function(self, node: dict[str, Any]) -> Any:
        return self._find(node)

    def _partial(self, node: dict[str, Any]) -> Any:
        if node["function"]["kind"] != "function":
            raise _damaged("a partial does not wrap a trusted function")
        arguments, keywords = self.construct(node["arguments"]), self.construct(node["keywords"])
        return functools.partial(self.construct(node["function"]), *arguments, **keywords)

    def _dtype(self, node: dict[str, Any]) -> Any:
        import numpy as np

        if node["dtype"] == "|O":  # an imputer that was fitted on an array of objects
            return np.dtype(object)
        if not _DTYPE.fullmatch(node["dtype"]):
            raise _damaged("a dtype is not one of numbers, strings, dates or objects")
        return np.dtype(node["dtype"])

    def _tree(self, node: dict[str, Any]) -> Any:
        return construct_tree(
            self._find(node), self.construct(node["arguments"]), self.construct(node["state"])
        )

    def _loss(self, node: dict[str, Any]) -> Any:
        arguments = self.construct(node["arguments"])
        if not all(isinstance(argument, (int, float)) for argument in arguments):
            raise _damaged("a loss has arguments that are not numbers")
        return self._find(node)(*arguments)

    def _search_tree(self, node: dict[str, Any]) -> Any:
        return construct_search_tree(self._find(node), self.construct(node["state"]))

    def _metric(self, node: dict[str, Any]) -> Any:
        return self._find(node)()

    def _random_state(self, node: dict[str, Any]) -> Any:
        import numpy as np

        state = self.construct(node["state"])
        if not 0 <= state["state"]["pos"] <= 624:  # Mersenne Twister: the position in its 624 words
            raise _damaged("a random state has a position that is not between 0 and 624")
        random_state = np.random.RandomState()
        random_state.set_state(state)
        return random_state

    def _generator(self, node: dict[str, Any]) -> Any:
        import numpy as np

        seed = self.construct(node["seed"])
        if seed["pool_size"] != 4:  # numpy's default; more would only fill the memory
            raise _damaged("a random generator has a seed with a pool size other than 4")
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
    "named_tuple": _Constructor._named_tuple,
    "set": _Constructor._set,
    "slice": _Constructor._slice,
    "array": _Constructor._array,
    "objects": _Constructor._objects,
    "masked": _Constructor._masked,
    "scalar": _Constructor._scalar,
    "sparse": _Constructor._sparse,
    "spline": _Constructor._spline,
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
