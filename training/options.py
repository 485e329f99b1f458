"""What to train on what: the options of `train`, and every default, each of them once.

The command line, the scripts and the tests read names and defaults here. Nothing here imports
numpy or scikit-learn, so that ``--help`` does not wait for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from sklearn_api.utils import LABELS

MODEL_NAME = "review"
TEXT_FIELD = "text"
"""The input of a model of texts, unless its example names another."""
ROOT = Path(__file__).resolve().parents[1]
"""The project's folder."""
SAMPLES = ROOT / "training" / "sample"


def model_folder(name: str) -> Path:
    """Return where a model is stored and published from, relative to the project's root."""
    return Path(".local/model") / name


def stored_folder(name: str) -> Path:
    """Return where commands find a model: a relative path in the project's folder only."""
    folder = model_folder(name)
    return folder if Path.cwd() == ROOT else ROOT / folder


MODEL_FOLDER = model_folder(MODEL_NAME)


@dataclass(frozen=True)
class Example:
    """A model that comes with the project: what its name stands for where nothing else is said.

    Attributes
    ----------
    data : Path
        Its sample.
    target : str
        The column of the sample to predict.
    text_field : str
        The input of a model of texts of that name.
    words : mapping
        Words for usual spellings of classes, if a model of that name has no other classes.
    """

    data: Path
    target: str
    text_field: str = TEXT_FIELD
    words: Mapping[str, str] = field(default_factory=dict)


_NEGATIVE, _POSITIVE = LABELS
EXAMPLES = {
    MODEL_NAME: Example(
        SAMPLES / "reviews.csv",
        "label",
        "review_text",
        {
            **dict.fromkeys(("0", "neg", "negative", "false", "bad"), _NEGATIVE),
            **dict.fromkeys(("1", "pos", "positive", "true", "good"), _POSITIVE),
        },
    ),
    "churn": Example(SAMPLES / "customers.csv", "churned"),
}


def make_command(name: str) -> str:
    """Return a command that makes a model of this name, with FILE in place of what it needs."""
    if name == MODEL_NAME:
        return "python -m training train"
    data = "" if name in EXAMPLES else " --data FILE"
    return f"python -m training train --name {name}{data}"


class RecipeName(StrEnum):
    """The recipes for texts, of `training.recipes.texts`."""

    BEST = "best"
    ARTICLE = "article"
    CHARACTERS = "characters"


class TableRecipeName(StrEnum):
    """The recipes for tables, of `training.recipes.tables`."""

    BOOSTING = "boosting"
    FOREST = "forest"


class SearchBackend(StrEnum):
    """joblib's backends that a search can use: processes on this machine, or a Dask cluster."""

    LOKY = "loky"
    DASK = "dask"


@dataclass(frozen=True)
class Options:
    """What to train on what.

    Attributes
    ----------
    source : str or None
        A file, or the id of a data set on the hub (its train split is used); None for the sample of
        the example called `name`.
    output : Path
        Folder for `model.zip`, `manifest.json` and `report/index.html`.
    recipe : str or None
        A `RecipeName` or, for tables, a `TableRecipeName`; None for the default: `best` for texts,
        `article` for the sample reviews, and for tables what suits their number of rows.
    search : bool
        Whether to compare variants of the recipe first.
    search_backend : str
        A `SearchBackend`; it does not change the model.
    test_source : str or None
        A file, or the id of a data set on the hub (its test split is used), to measure on; None to
        hold out a part of `source`.
    test_size : float
        Share of the reviews that is held out for measuring, between 0 and 1.
    seed : int
        Seed of the split and of the solver.
    name : str
        The model's name.
    text_column, revision, encoding, separator : str or None
        See `training.dataset`.
    drop_empty : bool
        Whether to leave out rows without a text or without a target, instead of refusing them.
    target : str or None
        The column to predict; None for that of the sample, or the first with a usual name.
    task : str or None
        One of `training.data.targets.TASKS`; None for what the target shows.
    label_separator : str or None
        What joins several labels in a value of the target.
    inputs : tuple of str
        The columns of a table to learn from; none for all that are of use.
    leave_out : tuple of str
        Columns of a table not to learn from.
    labels : mapping of str to str
        What clients see for each class, by the class as the data have it; none for the classes
        themselves.
    integers : tuple of str
        Columns of whole numbers that clients must always send.
    """

    source: str | None = None
    output: Path = MODEL_FOLDER
    recipe: str | None = None
    search: bool = False
    search_backend: str = SearchBackend.LOKY
    test_source: str | None = None
    test_size: float = 0.2
    seed: int = 0
    text_column: str | None = None
    revision: str | None = None
    encoding: str | None = None
    separator: str | None = None
    drop_empty: bool = False
    name: str = MODEL_NAME
    target: str | None = None
    task: str | None = None
    label_separator: str | None = None
    inputs: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    integers: tuple[str, ...] = ()

    @property
    def data(self) -> str | None:
        """`source`, or the sample of the example called `name`, if it is one."""
        if self.source is None and self.name in EXAMPLES:
            return str(EXAMPLES[self.name].data)
        return self.source

    @property
    def test_revision(self) -> str | None:
        """`revision`, if the reviews to measure on come from the same data set."""
        return self.revision if self.test_source == self.source else None

    @property
    def recipe_name(self) -> RecipeName:
        """`recipe`, or the default recipe for texts."""
        if self.recipe and self.recipe not in [*TableRecipeName]:
            return RecipeName(self.recipe)
        return RecipeName.BEST if self.source else RecipeName.ARTICLE
