"""The models that the project's endpoints serve, and instances to try them with."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.lib.configuration import served_models
from scripts.lib.project import ROOT, ScriptError
from training.options import MODEL_NAME, make_command, model_folder

REVIEWS = ("I love this movie", "I hate this movie")


@dataclass(frozen=True)
class Served:
    """A model, and the endpoint that serves it.

    Attributes
    ----------
    name : str
        The model.
    path : str
        The endpoint's, such as ``/churn``.
    folder : pathlib.Path
        Where the model is stored on this machine; it may not exist.
    """

    name: str
    path: str
    folder: Path

    @property
    def is_stored(self) -> bool:
        """Whether there is a model in the folder."""
        return (self.folder / "manifest.json").is_file()

    @property
    def sha256(self) -> str:
        """Digest of the stored model."""
        return str(self._fact("sha256"))

    def instances(self) -> list[dict[str, Any]]:
        """Return what to ask the endpoint: the example in the signature, or two reviews."""
        found = example(self._fact("signature"))
        if self.name == MODEL_NAME:
            return [dict.fromkeys(found, review) for review in REVIEWS]
        return [found]

    def _fact(self, name: str) -> Any:
        """Return a field of the manifest. Reading all of it would import half of `training`."""
        file = self.folder / "manifest.json"
        try:
            return json.loads(file.read_text())[name]
        except (OSError, ValueError, LookupError, TypeError) as exc:
            raise ScriptError(
                f"{file} says nothing of {name} ({type(exc).__name__}: {exc}); make the model "
                f"again: {make_command(self.name)}"
            ) from exc


def example(signature: dict[str, Any]) -> dict[str, Any]:
    """Return an instance that a model answers, made of the examples in its signature."""
    return {one["name"]: one["example"] for one in signature["inputs"]}


def all_served(root: Path = ROOT) -> list[Served]:
    """Return the models of all endpoints, in the order of serverless.yml."""
    return [
        Served(name, path, root / model_folder(name)) for name, path in served_models(root).items()
    ]
