"""Merges a function's layers into the one folder that AWS mounts at ``/opt``."""

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

_MERGING = threading.Lock()


def merge(layers: Sequence[Path]) -> Path | None:
    """Return a folder with the content of all layers; files of later layers win.

    A single layer is returned as it is. Several layers are merged once per combination, by hard
    links: files never change after they have been unpacked. See
    https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html.

    Parameters
    ----------
    layers : sequence of Path
        Unpacked layers, in the function's order.

    Returns
    -------
    Path or None
        The folder; None if there are no layers.
    """
    if len(layers) < 2:
        return layers[0] if layers else None
    name = hashlib.sha256("\0".join(map(str, layers)).encode()).hexdigest()[:32]
    target = Path(tempfile.gettempdir()) / "lambda" / "opt" / name
    with _MERGING:
        if not target.is_dir():
            building = target.with_name(f"{name}.new")
            shutil.rmtree(building, ignore_errors=True)
            for layer in layers:
                shutil.copytree(
                    layer, building, symlinks=True, dirs_exist_ok=True, copy_function=_link
                )
            building.rename(target)
    return target


def _link(source: str, target: str) -> None:
    if os.path.lexists(target):
        os.unlink(target)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # Another file system.
        shutil.copy2(source, target, follow_symlinks=False)
