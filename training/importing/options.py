"""What to import, and the rows to measure it on."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

OPTIONS, ERROR, MODEL = "options.json", "error.txt", "model"
"""Files of the folder that a process of its own imports a pickle in, see `pickled`."""


@dataclass(frozen=True)
class ImportOptions:
    """What to import, and the rows to measure it on.

    Attributes
    ----------
    source : str
        ``module:object``, or the path of a file.
    name : str
        Name of the model.
    output : Path
        Folder for `model.zip`, `manifest.json` and `report/index.html`.
    data : str
        A file, or the id of a data set on the hub (its test split is used), with rows that the
        pipeline was not fitted on.
    target : str or None
        The column with what is right for each row; None if there is none to measure with.
    text_column, label_separator, revision, encoding, separator, drop_empty, labels, integers
        See `training.options.Options`.
    inputs : tuple of str
        The columns of a pipeline that was fitted on an array, in its order; none for all but the
        target.
    own_code : tuple of str
        Full names of types and functions of one's own that the pipeline contains.
    trust_pickle : bool
        Whether `source` may be a pickle.
    """

    source: str
    name: str
    output: Path
    data: str
    target: str | None = None
    text_column: str | None = None
    label_separator: str | None = None
    revision: str | None = None
    encoding: str | None = None
    separator: str | None = None
    drop_empty: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    integers: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    own_code: tuple[str, ...] = ()
    trust_pickle: bool = False

    def to_json(self) -> str:
        """Return the options for another process."""
        return json.dumps({**asdict(self), "output": str(self.output)})

    @classmethod
    def from_json(cls, text: str) -> "ImportOptions":
        """Return the options that `to_json` wrote."""
        values = json.loads(text)
        lists = {name: tuple(values[name]) for name in ("integers", "inputs", "own_code")}
        return cls(**{**values, **lists, "output": Path(values["output"])})
