"""Fits the recipe for a data set, and calibrates it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sklearn.pipeline import Pipeline

from sklearn_api.calibration import Calibration, OneAgainstRest, Sigmoid, Temperature
from sklearn_api.signature import MULTILABEL, REGRESSION, TEXT
from training.calibration import Calibrated, calibrate, calibrate_labels
from training.data.spacing import is_unspaced
from training.dataset import Dataset
from training.errors import TrainingError
from training.options import Options, RecipeName, TableRecipeName
from training.recipes.tables import TABLE_RECIPES, TableRecipe, default_recipe
from training.recipes.texts import RECIPES, Recipe
from training.search import Result, search
from training.terminal import Terminal


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline, and how it was fitted.

    Attributes
    ----------
    pipeline : Pipeline
        Of scikit-learn's own estimators; predicts from the rows of the data set.
    calibration : Calibration or None
        Turns its decision scores into probabilities.
    recipe : str
        Name of the recipe.
    parameters : dict
        Its parameters, for the manifest.
    notes : tuple of str
        What was decided, in a sentence each.
    losses : mapping of str to float
        The log loss of each method of calibration, where several were compared.
    found : Result or None
        What a search has found.
    chosen : Recipe or TableRecipe
        The recipe, for `fit`.
    """

    pipeline: Pipeline
    calibration: Calibration | None
    recipe: str
    parameters: dict[str, Any]
    notes: tuple[str, ...]
    chosen: Recipe | TableRecipe
    losses: Mapping[str, float] = field(default_factory=dict)
    found: Result | None = None


def fit(
    dataset: Dataset, options: Options, terminal: Terminal, *, like: Fitted | None = None
) -> Fitted:
    """Fit the recipe for a data set on all of its rows.

    Parameters
    ----------
    dataset : Dataset
        The rows.
    options : Options
        `recipe`, `search`, `search_backend` and `seed` count.
    terminal : Terminal
        Shows the steps, and warnings.
    like : Fitted, optional
        The result for a part of the rows: its recipe is fitted again, and nothing is searched.

    Raises
    ------
    TrainingError
        The recipe does not fit the data, or no model can be fitted on them.
    """
    try:
        if dataset.kind == TEXT:
            return _fit_texts(dataset, options, terminal, like)
        return _fit_table(dataset, options, terminal, like)
    except ValueError as exc:  # such as an empty vocabulary
        raise TrainingError(f"no model can be fitted on {dataset.source}: {exc}") from exc


def _fit_texts(texts: Dataset, options: Options, terminal: Terminal, like: Fitted | None) -> Fitted:
    found = None
    if like is not None:
        assert isinstance(like.chosen, Recipe)
        recipe, found = like.chosen, like.found
    else:
        recipe = _text_recipe(texts, options, terminal)
        if options.search:
            found = search(recipe, texts, options.seed, terminal, options.search_backend)
            recipe = found.recipe
    with terminal.step(f"Counting terms of {len(texts):,} texts") as done:
        counts, terms = recipe.count(texts.rows)
        done(f"{len(terms):,}")
    estimator = recipe.estimator(options.seed, texts.task)
    with terminal.step("Fitting") as done:
        estimator.fit(counts, texts.targets)
        done(f"{recipe.name}, {len(estimator.columns_):,} terms kept")
    calibrated = Calibrated(None)
    sigmoids: list[Sigmoid] = []
    if texts.task != REGRESSION:
        with terminal.step("Calibrating by cross-validation"):
            unfitted = recipe.estimator(options.seed, texts.task)
            if texts.task == MULTILABEL:
                sigmoids = calibrate_labels(unfitted, counts, texts.targets, seed=options.seed)
            else:
                calibrated = calibrate(
                    unfitted, counts, texts.targets, texts.classes, seed=options.seed
                )
    if _is_constant(calibrated.calibration):
        terminal.warn(
            "the scores say nothing about texts that the model was not fitted on: it will return "
            "the same probabilities for every text"
        )
    return Fitted(
        recipe.pipeline(estimator, terms, sigmoids),
        calibrated.calibration,
        recipe.name,
        recipe.parameters,
        (calibrated.note,) if calibrated.note else (),
        recipe,
        calibrated.losses,
        found,
    )


def _text_recipe(texts: Dataset, options: Options, terminal: Terminal) -> Recipe:
    if options.recipe in [*TableRecipeName]:
        raise TrainingError(
            f"--recipe {options.recipe} is for tables, and {texts.source} holds texts; choose one "
            f"of {', '.join(RecipeName)}"
        )
    recipe = RECIPES[options.recipe_name]
    if not recipe.characters and is_unspaced(texts.rows):
        terminal.warn(
            f"the texts of {texts.source} have no spaces between words, so the recipe "
            f"{recipe.name} takes whole sentences for words and learns little from them; choose "
            f"--recipe {RecipeName.CHARACTERS}"
        )
    return recipe


def _fit_table(table: Dataset, options: Options, terminal: Terminal, like: Fitted | None) -> Fitted:
    if options.recipe in [*RecipeName]:
        raise TrainingError(
            f"--recipe {options.recipe} is for texts, and {table.source} is a table; choose one of "
            f"{', '.join(TableRecipeName)}"
        )
    if options.search:
        raise TrainingError(f"--search compares recipes for texts, and {table.source} is a table")
    if like is not None:
        assert isinstance(like.chosen, TableRecipe)
        recipe = like.chosen
    else:
        recipe = TABLE_RECIPES[options.recipe] if options.recipe else default_recipe(len(table))
    with terminal.step(f"Fitting on {len(table):,} rows") as done:
        pipeline = recipe.pipeline(table.rows, table.task, len(table.classes), options.seed)
        pipeline.fit(table.rows, table.targets)
        done(f"{recipe.name}, {len(table.columns)} columns")
    return Fitted(pipeline, None, recipe.name, recipe.parameters, (), recipe)


def _is_constant(calibration: Calibration | None) -> bool:
    """Return whether probabilities are the same for all scores."""
    match calibration:
        case Sigmoid(slope, _):
            return slope == 0
        case OneAgainstRest(sigmoids):
            return all(one.slope == 0 for one in sigmoids)
        case Temperature(factor):
            return factor == 0
    return False
