"""Reads a vocabulary, stored as text: its terms in the order of their index.

There is one term per line where that is unambiguous, which is nearly always. A vocabulary with a
line feed in a term, or half of a surrogate pair, which UTF-8 cannot encode, is a JSON array. The
suffix of the member's name says which it is. Reading needs nothing but Python.
"""

import json

from sklearn_api.errors import ArtifactError

LINES, JSON = ".txt", ".json"


def decode_terms(name: str, content: bytes) -> list[str]:
    """Return the terms of a member, in the order of their index.

    Parameters
    ----------
    name : str
        The member's name, which ends in `LINES` or `JSON`.
    content : bytes
        The member.

    Raises
    ------
    ArtifactError
        It is not a valid vocabulary.
    """
    try:
        if name.endswith(LINES):
            # Not `splitlines`: it also splits at U+0085 and others, which terms may contain.
            return content.decode().split("\n")
        terms = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise ArtifactError(f"the artifact's {name} is not a valid vocabulary: {exc}") from exc
    if not isinstance(terms, list) or not all(type(term) is str for term in terms):
        raise ArtifactError(
            f"the artifact's {name} is not a valid vocabulary: it is not a list of strings"
        )
    return terms
