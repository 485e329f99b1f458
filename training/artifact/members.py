"""Writes the members of an artifact, and the zip around them.

This is the counterpart of `sklearn_api.artifact.archive` and `sklearn_api.artifact.vocabulary`.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence

from sklearn_api.artifact.vocabulary import JSON, LINES

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold


def write_archive(members: Mapping[str, bytes]) -> bytes:
    """Return members as a zip; equal members give equal bytes.

    A member that does not shrink to half its size is stored uncompressed: unpacking it would take
    longer than it saves (docs/decisions/0009-deflate-what-halves.md).

    Parameters
    ----------
    members : mapping
        Contents by name.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in members.items():
            halves = len(zlib.compress(content, 6)) * 2 <= len(content)
            method = zipfile.ZIP_DEFLATED if halves else zipfile.ZIP_STORED
            target.writestr(zipfile.ZipInfo(name, _EPOCH), content, method, compresslevel=6)
    return buffer.getvalue()


def encode_terms(terms: Sequence[str]) -> tuple[str, bytes]:
    """Return the suffix of a vocabulary's member, `LINES` or `JSON`, and its content.

    Parameters
    ----------
    terms : sequence of str
        At least one term; they may contain any characters. A term's index is its position.
    """
    try:
        content = "\n".join(terms).encode()
    except UnicodeEncodeError:
        pass
    else:
        # A line feed inside a term would add to those between the terms.
        if content.count(b"\n") == len(terms) - 1:
            return LINES, content
    return JSON, json.dumps(list(terms)).encode()


def clean_array(content: bytes) -> bytes:
    """Return an ``.npy`` file without the random memory content in the padding of its records."""
    import numpy as np

    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    if {"left_child", "missing_go_to_left"} <= set(array.dtype.names):
        # In the leaves of a tree, this field is never set or read.
        clean["missing_go_to_left"][clean["left_child"] == -1] = 0
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
    return buffer.getvalue()
