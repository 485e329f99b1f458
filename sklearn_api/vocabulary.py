"""A vocabulary as a text: its terms in the order of their index.

One term a line where that is unambiguous, which is nearly always, and a JSON array otherwise: of a
term with a line feed, or with half of a surrogate pair, which UTF-8 does not know. The member's
name says which. Nothing but Python is needed to read it.
"""

import json
from collections.abc import Sequence

from sklearn_api.errors import ArtifactError

LINES, JSON = ".txt", ".json"


def encode_terms(terms: Sequence[str]) -> tuple[str, bytes]:
    """Return the ending of the member's name, `LINES` or `JSON`, and its content.

    Parameters
    ----------
    terms : sequence of str
        One or more, of any characters; the n-th one has the index n.
    """
    try:
        content = "\n".join(terms).encode()
    except UnicodeEncodeError:
        pass
    else:
        # A line feed inside a term would be one more than stand between the terms.
        if content.count(b"\n") == len(terms) - 1:
            return LINES, content
    return JSON, json.dumps(list(terms)).encode()


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
        It is no vocabulary.
    """
    try:
        if name.endswith(LINES):
            # No `splitlines`, which also splits at U+0085 and the like, that terms may hold.
            return content.decode().split("\n")
        terms = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise ArtifactError(f"the artifact's {name} is no vocabulary: {exc}") from exc
    if not isinstance(terms, list) or not all(type(term) is str for term in terms):
        raise ArtifactError(f"the artifact's {name} is no vocabulary: it is not a list of texts")
    return terms
