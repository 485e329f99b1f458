"""What building a layer raises."""

from scripts.lib.project import ScriptError


class LayerError(ScriptError):
    """The layer cannot be built, or would not fit into Lambda."""
