"""Where a model comes from: everything that it depends on, for its manifest."""

import hashlib
import json
import subprocess
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from sklearn_api.artifact.header import FORMAT, python_version
from training import data
from training.options import Options
from training.recipes.tables import TABLE_RECIPES
from training.recipes.texts import RECIPES
from training.search import GRIDS

_LIBRARIES = ("scikit-learn", "numpy", "scipy", "skops")


def fingerprint(options: Options) -> str:
    """Return a digest of everything that the trained model depends on."""
    recipe = RECIPES[options.recipe_name]
    content = {
        "data": data.identity(options.data, options.revision),
        "test": options.test_source and data.identity(options.test_source, options.test_revision),
        "name": options.name,
        "columns": [options.text_column, options.target, options.inputs, options.leave_out],
        "task": [options.task, options.label_separator],
        "signature": [dict(options.labels), options.integers],
        "file_format": [options.encoding, options.separator],
        "drop_empty": options.drop_empty,
        "test_size": options.test_size,
        "seed": options.seed,
        "recipe": [options.recipe, asdict(recipe)],
        "tables": [asdict(one) for one in TABLE_RECIPES.values()],
        "search": {**GRIDS[recipe.name]} if options.search else None,
        "libraries": libraries(),
        "python": python_version(),
        "format": FORMAT,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def libraries() -> dict[str, str]:
    """Return the versions of the libraries that fit a model and write it."""
    return {name: version(name) for name in _LIBRARIES}


def git_revision() -> str | None:
    """Return the commit of the training code, None outside a git checkout."""
    try:
        result = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return result.stdout.strip() if result.returncode == 0 else None
