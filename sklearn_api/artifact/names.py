"""The types and functions that a schema may name: trusted ones, and an endpoint's own code.

`sklearn_api.artifact.trusted` lists what any artifact may name. An endpoint's declaration may add
code of its own: it is reviewed and deployed with the endpoint, and an artifact cannot add to it.
"""

import importlib
from collections.abc import Collection, Mapping
from typing import Any

from sklearn_api.artifact import trusted
from sklearn_api.errors import ArtifactError

_TRUSTED: Mapping[str, frozenset[str]] = {
    "object": trusted.TYPES,
    "tree": trusted.TREES,
    "loss": trusted.LOSSES,
    "dict": trusted.DICTS,
    "named_tuple": trusted.NAMED_TUPLES,
    "sparse": trusted.MATRICES,
    "search_tree": trusted.SEARCH_TREES,
    "metric": trusted.METRICS,
    "type": trusted.VALUE_TYPES,
    "function": trusted.FUNCTIONS,
}
_OWN = ("object", "type", "function")  # kinds whose nodes may name code of one's own
# The fields of a node that may contain other nodes.
_INNER = {"items", "state", "arguments", "data", "mask", "seed", "function", "keywords"}


class Names:
    """The types and functions that a schema may name.

    Parameters
    ----------
    own_code : collection of str
        Full names of types and functions, such as ``handlers.tickets.text.tokenize``, which the
        nodes of objects, types and functions may name as well.
    """

    def __init__(self, own_code: Collection[str] = ()) -> None:
        self._own = frozenset(own_code)
        self._found: dict[tuple[str, str], Any] = {}

    def audit(self, schema: Any, kinds: Collection[str]) -> None:
        """Check every node of a schema, without importing anything.

        Parameters
        ----------
        schema : JSON value
            The root.
        kinds : collection of str
            The kinds of nodes that there are.

        Raises
        ------
        ArtifactError
            A node is of another kind, or names a type or function that it may not name.
        """
        untrusted = set()
        pending = [schema]
        while pending:
            node = pending.pop()
            if isinstance(node, list):
                pending.extend(node)
            elif isinstance(node, dict):
                kind, name = node.get("kind"), node.get("type")
                if not isinstance(kind, str) or kind not in kinds:
                    untrusted.add(f"a node of the unknown kind {str(kind)[:80]!r}")
                elif kind in _TRUSTED and not self._allows(kind, str(name)):
                    untrusted.add(str(name)[:200])
                for inner in _INNER & node.keys():
                    values = node[inner]
                    # The keys of a dict belong to the pipeline, and may be called anything.
                    in_dict = inner == "items" and isinstance(values, dict)
                    pending.extend(values.values() if in_dict else [values])
        if untrusted:
            raise ArtifactError(
                "the artifact's pipeline contains types or functions that are not on the list of "
                f"trusted names: {', '.join(sorted(untrusted)[:10])}"
            )

    def find(self, node: Mapping[str, Any]) -> Any:
        """Return the type or function that a node names.

        Raises
        ------
        ArtifactError
            The node may not name it; or it is code of one's own and cannot be imported, or is not
            what the node says.
        """
        kind, name = node["kind"], node["type"]
        if (kind, name) not in self._found:
            if not self._allows(kind, name):
                raise ArtifactError(
                    f"the artifact's pipeline is damaged: {name} is not on the list of trusted "
                    "names"
                )
            find = _imported if name in _TRUSTED[kind] else _own_code
            self._found[kind, name] = find(kind, name)
        return self._found[kind, name]

    def _allows(self, kind: str, name: str) -> bool:
        return name in _TRUSTED[kind] or (kind in _OWN and name in self._own)


def _imported(kind: str, name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def _own_code(kind: str, name: str) -> Any:
    try:
        found = _imported(kind, name)
    # Importing it runs code of the endpoint's owner, which may raise anything.
    except Exception as exc:
        raise ArtifactError(
            f"{name}, which own_code names, cannot be imported: {type(exc).__name__}: {exc}; it "
            "has to be in the function's package"
        ) from exc
    if isinstance(found, type) == (kind == "function") or not callable(found):
        raise ArtifactError(
            f"{name}, which own_code names, is not the {kind} that it was when it was stored"
        )
    return found
