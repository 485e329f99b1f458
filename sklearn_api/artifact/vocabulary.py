"""A vocabulary as a text: its terms in the order of their index.

One term a line where that is unambiguous, which is nearly always, and a JSON array otherwise: of a
term with a line feed, or with half of a surrogate pair, which UTF-8 does not know. The member's
name says which. Nothing but Python is needed to read it.
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
