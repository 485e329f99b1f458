"""The report: one self-contained page that shows the evaluation, for every task."""

import functools
import re
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers.reports import HOSTILE, TASKS, Made, Page, many_classes
from training.evaluation import Binary, evaluate
from training.folder import load

FIGURES = {
    "binary texts": 6,  # two curves, confusion, calibration, words of both classes
    "multiclass texts": 6,  # confusion, calibration, classes, words of three classes
    "multilabel texts": 6,  # labels, calibration, wrong labels, words of three labels
    "regression of texts": 6,  # predicted, errors three times, words up and down
    "binary table": 5,  # two curves, confusion, calibration, importance
    "multiclass table": 4,  # confusion, calibration, classes, importance
    "regression of a table": 5,  # predicted, errors three times, importance
    "clusters": 1,
}


@functools.cache
def made(task: str) -> Made:
    return TASKS[task]()


@functools.cache
def content(task: str) -> str:
    """The report of a model; drawing it warns of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return made(task).render()


@pytest.mark.parametrize("task", TASKS)
def test_the_page_is_self_contained(task: str) -> None:
    """No scripts, no styles, pictures or fonts from elsewhere, and every element is closed."""
    page = Page(content(task))
    assert not {"script", "link", "img", "iframe", "object", "image"} & set(page.tags)
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("href", "src", "xlink:href"):
            assert value.startswith("#")
        if name == "style":
            assert "http" not in value
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    used = {value[1:] for name, value in page.attributes if name.endswith("href")}
    used |= set(re.findall(r"url\(#([^)]+)\)", content(task)))
    assert used <= set(ids)


@pytest.mark.parametrize("task", TASKS)
def test_the_page_has_figures_and_words_of_the_task(task: str) -> None:
    """Each task has figures of its own, and labels are called as clients see them."""
    page = Page(content(task))
    assert page.tags.count("svg") == FIGURES[task]
    for label in made(task).evaluation.words:
        assert label in page.text
    assert not re.search(r"(?i)review|positive|negative", page.text)


@pytest.mark.parametrize("task", TASKS)
def test_the_page_has_the_manifest(task: str) -> None:
    """Every stored figure can be read, and what goes in."""
    text = Page(content(task)).text
    manifest = made(task).manifest
    assert f"Model “{manifest.name}”" in text
    assert manifest.sha256 in text
    assert "only models of texts are compiled" in text
    for one in made(task).evaluation.signature.inputs:
        assert one.name in text
    headline = made(task).evaluation.headline
    if headline is not None:
        assert f"{headline[1]:.4f}" in text


@pytest.mark.parametrize("task", ["multiclass texts", "binary table", "regression of a table"])
def test_the_same_model_gives_the_same_page(task: str) -> None:
    """Nothing on the page depends on the time or on chance."""
    assert made(task).render() == content(task)


def test_texts_are_shown_as_text() -> None:
    """A text with tags is shown as it was written, except for its line breaks."""
    page = Page(content("binary texts"))
    assert '<script>alert("1")</script> & <img src="http://example.com/x"> good\nfilm' in page.text
    assert HOSTILE not in content("binary texts")


def test_data_is_escaped() -> None:
    """Names, words, categories and examples are shown as they are, and are no markup."""
    page = Page(content("binary texts"))
    for text in ("made <b>", "Otherwise <i>", "Good & $3 $4", '"a \\"good\\" <film>"'):
        assert text in page.text
    assert "<basic>, plus; no others" in Page(content("binary table")).text
    assert not {"i"} & set(page.tags)


def test_figures_that_do_not_exist_are_left_out() -> None:
    """Without probabilities no calibration is drawn, and without both classes no curve."""
    one = made("binary texts")
    rows, truth = one.evaluation.rows, [False, True] * 45 + [False]
    plain = evaluate(one.pipeline, None, one.evaluation.signature, rows, truth)
    page = Page(replace(one, evaluation=plain).render())
    assert "Calibration" not in page.text
    assert page.tags.count("svg") == FIGURES["binary texts"] - 1
    same = evaluate(one.pipeline, None, one.evaluation.signature, rows, [True] * len(rows))
    assert isinstance(same, Binary)
    manifest = replace(one.manifest, metrics=same.metrics())
    page = Page(Made(manifest, same, one.pipeline).render())
    assert page.tags.count("svg") == FIGURES["binary texts"] - 3


def test_a_model_without_errors_has_a_page() -> None:
    """When nothing is misclassified, the page says so."""
    one = made("binary texts")
    assert isinstance(one.evaluation, Binary)
    right = replace(one.evaluation, truth=one.evaluation.predicted)
    assert "It made no error on the texts" in replace(one, evaluation=right).render()


def test_seen_rows_are_mentioned() -> None:
    """If rows were also fitted on, the page says how many, and how good the model is on others."""
    one = made("multiclass texts")
    rows, signature = one.evaluation.rows, one.evaluation.signature
    kinds = [signature.labels[label].label for label in one.evaluation.truth]  # type: ignore[attr-defined]  # it is a Multiclass
    seen = [row % 3 == 0 for row in range(90)]
    found = evaluate(one.pipeline, None, signature, rows, kinds, seen=seen)
    page = Page(Made(replace(one.manifest, metrics=found.metrics()), found, one.pipeline).render())
    assert "30 of the texts that the model was measured on are also among those" in page.text
    assert "accuracy without them: 1.0000" in page.text


@pytest.mark.parametrize("count", [5, 12, 41, 70])
def test_many_classes_have_a_page(count: int) -> None:
    """Up to forty classes are in the matrix, and the most confused ones of more."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = Page(many_classes(count).render())
    assert "The most frequent confusions" in page.text
    assert ("The 40 classes that are confused most, of 70" in page.text) == (count == 70)
    # The words of few classes are drawn, those of more are listed.
    assert page.tags.count("svg") == 3 + (count if count <= 12 else 0)


def test_labels_may_be_in_any_script() -> None:
    """Chinese, Arabic, Hindi, emoji and long names: no warning, and each is on the page."""
    words = ["物流配送部门", "مرحبا بالعالم", "हिन्दी", "😀😀", "a\nb", "x" * 200]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = Page(many_classes(len(words), words=words).render())
    for word in words[:4]:
        assert page.text.count(word) > 3
    assert "a␣b" in page.text


def test_training_writes_the_report(sample_model: Path) -> None:
    """The report is stored next to the model, and describes that model."""
    shown = Page((sample_model / "report" / "index.html").read_text()).text
    manifest = load(sample_model)[0]
    for text in (
        manifest.sha256,
        manifest.training["fingerprint"],
        "Recipe article, trained on 454 texts of reviews.csv",
        "For “Positive Review”",
        f"{manifest.metrics['accuracy']:.4f}",
        "Negative Review taken for Positive Review",
    ):
        assert text in shown
    assert not list((sample_model / "report").glob(".*"))
