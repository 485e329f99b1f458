"""What happens after a model is stored: an endpoint, a deployment, and a publication."""

import shlex
from pathlib import Path

from training.folder import report_file
from training.names import endpoint_folder
from training.options import ROOT, model_folder


def next_steps(name: str, folder: Path, root: Path = ROOT) -> list[str]:
    """Return lines that say where a model is, and what to type next.

    Parameters
    ----------
    name : str
        Of the model.
    folder : Path
        Where it is stored.
    root : Path
        The project's folder.
    """
    publish = publish_command(name, folder)
    lines = [f"The model is in {folder}; its report is {report_file(folder)}"]
    deploy = "npx sls deploy --stage local"
    if (root / "handlers" / endpoint_folder(name)).is_dir():
        return [*lines, f"Next, if the stage is deployed: {publish}"]
    return [
        *lines,
        f"Next, in the project's folder, for an endpoint POST /{name}:",
        f"  ./scripts/new {name}",
        f"  {deploy}",
        f"  {publish}",
    ]


def publish_command(name: str, folder: Path, stage: str = "local") -> str:
    """Return the command that publishes the model in a folder."""
    default = folder in (model_folder(name), ROOT / model_folder(name))
    where = "" if default else f" --model {shlex.quote(str(folder))}"
    return f"python -m training publish --name {name}{where} --stage {stage}"
