"""Loads a model from an artifact, in the form that serves."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from sklearn_api.artifact.archive import Archive, Content
from sklearn_api.artifact.header import choose_form, open_artifact, read_calibration
from sklearn_api.model import Model
from sklearn_api.signature import MAX_BYTES, SIGNATURE, Signature

if TYPE_CHECKING:
    from sklearn_api.sklearn_model import SklearnModel


def load_model(
    content: Content, max_bytes: int, form: str = "auto", own_code: Collection[str] = ()
) -> Model:
    """Check an artifact and return its model.

    Parameters
    ----------
    content : bytes or bytearray
        The artifact.
    max_bytes : int
        Largest size that it may unpack to.
    form : str
        `Settings.model_form`.
    own_code : collection of str
        Full names of types and functions that it may name beside the trusted ones.

    Raises
    ------
    ArtifactError
        The artifact is damaged, was made for other versions, or has no compiled form although
        only that one may serve.
    """
    archive, header = open_artifact(content, max_bytes)
    signature = read_signature(archive)
    # Each branch imports its own wing: a cold start pays for the form that serves.
    if choose_form(archive, header, form) == "compiled":
        from sklearn_api.compiled.model import CompiledModel

        return CompiledModel(archive, signature, read_calibration(header))
    from sklearn_api.lazy_imports import lazy_imports
    from sklearn_api.sklearn_model import SklearnModel

    with lazy_imports():  # for scikit-learn's own imports
        return SklearnModel.from_artifact(archive, header, signature, max_bytes, own_code)


def load_sklearn_model(
    content: Content, max_bytes: int, own_code: Collection[str] = ()
) -> "SklearnModel":
    """Check an artifact and return its pipeline, whether or not it has a compiled form.

    Parameters
    ----------
    content, max_bytes, own_code : bytes or bytearray, int, collection of str
        As for `load_model`.

    Raises
    ------
    ArtifactError
        The artifact is damaged or was made for other versions.
    """
    from sklearn_api.sklearn_model import SklearnModel

    archive, header = open_artifact(content, max_bytes)
    signature = read_signature(archive)
    return SklearnModel.from_artifact(archive, header, signature, max_bytes, own_code)


def read_signature(archive: Archive) -> Signature:
    """Return the signature in an artifact.

    Raises
    ------
    ArtifactError
        It has none, or it is damaged.
    """
    return Signature.from_json(archive.read(SIGNATURE, MAX_BYTES))
