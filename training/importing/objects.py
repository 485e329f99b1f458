"""Imports a pipeline from a module: ``module:object``."""

import difflib
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from training.errors import TrainingError

_SHOWN = 5


def load_object(source: str) -> Any:
    """Return an object of a module, or what it returns if it is a function without arguments.

    The module is looked up in the current folder first, as ``python -m`` does it.

    Parameters
    ----------
    source : str
        Such as ``shop.churn:pipeline``; the object may be an attribute of another one.

    Raises
    ------
    TrainingError
        There is no such module or object, or importing or calling it fails.
    """
    name, _, path = source.partition(":")
    if not all(part.isidentifier() for part in (*name.split("."), *path.split("."))):
        usual = ".".join(Path(name.removesuffix(".py")).parts)
        example = f"{usual}:{path}" if name.endswith(".py") and path else "shop.churn:pipeline"
        raise TrainingError(
            f"{source!r} is not module:object, such as {example}; nor is it the path of a .skops, "
            ".joblib, .pkl or .pickle file"
        )
    found: Any = _module(name)
    for number, attribute in enumerate(path.split(".")):
        if not hasattr(found, attribute):
            whole = ":".join((name, ".".join(path.split(".")[:number])))
            raise TrainingError(
                f"{whole.rstrip(':')} has no object {attribute!r}{_suggestion(attribute, found)}"
            )
        found = getattr(found, attribute)
    return _called(found, source) if _is_function(found) else _object(found, source)


def _module(name: str) -> ModuleType:
    here = str(Path.cwd())
    if not {"", here} & set(sys.path):
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        missing = exc.name or name
        if missing != name and not name.startswith(f"{missing}."):
            raise TrainingError(
                f"importing {name} failed: it imports {missing}, which is not installed here"
            ) from exc
        known = [one.name for one in pkgutil.iter_modules([here])]
        raise TrainingError(
            f"there is no module {missing!r}, neither in the current folder ({here}) nor installed"
            f"{_similar(missing, known)}"
        ) from exc
    except KeyboardInterrupt:
        raise
    # The module is the user's, and may raise anything; SystemExit is how some scripts end.
    except (Exception, SystemExit) as exc:
        raise TrainingError(f"importing {name} failed: {_words(exc)}") from exc


def _is_function(found: Any) -> bool:
    return callable(found) and not isinstance(found, type) and not hasattr(found, "predict")


def _called(function: Any, source: str) -> Any:
    try:
        inspect.signature(function).bind()
    except (TypeError, ValueError) as exc:
        raise TrainingError(
            f"{source} is a function with arguments; name a fitted pipeline, or a function without "
            "arguments that returns one"
        ) from exc
    try:
        return function()
    except KeyboardInterrupt:
        raise
    # The function is the user's, and may raise anything.
    except (Exception, SystemExit) as exc:
        raise TrainingError(f"calling {source} failed: {_words(exc)}") from exc


def _object(found: Any, source: str) -> Any:
    if isinstance(found, type):
        raise TrainingError(
            f"{source} is a class; name an object of it that is fitted, or a function without "
            "arguments that returns one"
        )
    return found


def _suggestion(attribute: str, holder: Any) -> str:
    """Return names that could have been meant: similar ones, or else those of models."""
    public = [name for name in dir(holder) if not name.startswith("_")]
    similar = _similar(attribute, public)
    if similar:
        return similar
    models = [name for name in public if _predicts(getattr(holder, name, None))]
    return f"; it has {', '.join(models[:_SHOWN])}" if models else ""


def _predicts(found: Any) -> bool:
    return hasattr(found, "predict") and not isinstance(found, type)


def _similar(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), _SHOWN)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
