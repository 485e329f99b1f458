"""Errors of the layer's build."""

from scripts.lib.project import ScriptError


class LayerError(ScriptError):
    """The layer could not be built, or would not fit into Lambda."""
