"""Import modules, train a model and raise an error with nothing but the layer; print JSON.

`test_build.py` runs this once, from the layer alone, and each of several tests checks a part.
"""

import importlib
import importlib.metadata
import json
import pkgutil
import sys
import traceback
from collections.abc import Iterator
from typing import Any

PACKAGES = ("numpy", "scipy", "sklearn", "skops", "joblib")


def traceback_of_an_error() -> str:
    """Return the traceback of an error inside scikit-learn."""
    from sklearn.svm import LinearSVC

    try:
        LinearSVC().predict([[1.0]])
    except Exception:
        return traceback.format_exc()
    return ""


def trained() -> dict[str, Any]:
    """Train a model, store it with skops and load it; return predictions and versions."""
    import skops.io
    from sklearn.datasets import load_iris
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    texts = ["a joy to watch", "a bore to watch", "what a joy", "what a bore"]
    model = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts, [1, 0, 1, 0])
    stored = skops.io.dumps(model)
    loaded = skops.io.loads(stored, trusted=skops.io.get_untrusted_types(data=stored))
    return {
        "predictions": loaded.predict(["joy", "bore"]).tolist(),
        "rows": len(load_iris().data),
        "version": importlib.metadata.version("scikit-learn"),
    }


def public_modules() -> dict[str, Any]:
    """Import every public module of scikit-learn; return counts and those not from the layer."""
    import joblib
    import sklearn
    import sklearn.utils.discovery
    import skops.card
    import skops.io

    def public(path: Any, prefix: str) -> Iterator[str]:
        for module in pkgutil.iter_modules(path, prefix):
            name = module.name.rpartition(".")[2]
            if name[0] != "_" and name not in ("externals", "conftest"):
                yield module.name
                if module.ispkg:
                    package = importlib.import_module(module.name)
                    yield from public(package.__path__, f"{module.name}.")

    names = list(public(sklearn.__path__, "sklearn."))
    for name in names:
        importlib.import_module(name)
    for name in sklearn.__all__:  # submodules, and a few functions
        if not hasattr(sklearn, name):
            importlib.import_module(f"sklearn.{name}")
    found = [*(sys.modules[name] for name in names), joblib, skops.card, skops.io]
    return {
        "modules": len(names),
        "estimators": len(sklearn.utils.discovery.all_estimators()),
        "elsewhere": [one.__name__ for one in found if not _from_the_layer(one.__file__)],
    }


def _from_the_layer(file: str | None) -> bool:
    return bool(file and file.startswith(sys.path[0]))


def all_modules() -> dict[str, Any]:
    """Import every module, public or private; return how many succeeded and what was missing."""
    missing: list[str] = []
    imported = 0

    def attempt(name: str) -> None:
        nonlocal imported
        try:
            importlib.import_module(name)
            imported += 1
        except ModuleNotFoundError as exc:  # an optional package, or one for another system
            if (exc.name or "").split(".")[0] in PACKAGES:
                missing.append(f"{name}: {exc}")
        except FileNotFoundError as exc:
            missing.append(f"{name}: {exc}")
        except (ImportError, AttributeError):  # not a Python module, or one for another system
            pass

    for package in PACKAGES:
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}.", onerror=attempt):
            if not module.name.endswith("__main__"):
                attempt(module.name)
    return {"imported": imported, "missing": missing}


if __name__ == "__main__":
    answers = {
        "traceback": traceback_of_an_error(),
        "trained": trained(),
        "public": public_modules(),
        "all": all_modules(),
    }
    sys.stdout.write("\n" + json.dumps(answers))  # some modules print when they are imported
