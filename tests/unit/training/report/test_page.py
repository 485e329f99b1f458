"""The report: one self-contained page that shows the evaluation."""

import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from sklearn.pipeline import Pipeline

from sklearn_api.calibration import Sigmoid
from training import plots
from training.artifact.manifest import Manifest
from training.data import Reviews
from training.evaluation import Evaluation, evaluate
from training.folder import load
from training.options import Options
from training.recipes import BEST
from training.report import most_wrong, render, strongest
from training.terminal import Terminal
from training.train import train

HOSTILE = '<script>alert("1")</script> & <img src="http://example.com/x"> good<br /><br />film'
TEXTS = [f"a good film {n} $5 and $6" for n in range(20)] + [f"a bad film {n}" for n in range(20)]
LABELS = [1] * 20 + [0] * 20


class Page(HTMLParser):
    """Collects what a browser would show of a page, and checks that elements are closed."""

    VOID = ("meta", "br")

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(content)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@dataclass(frozen=True)
class Made:
    """What a report is made of."""

    manifest: Manifest
    evaluation: Evaluation
    pipeline: Pipeline

    def render(self) -> str:
        return render(self.manifest, self.evaluation, self.pipeline)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A model of good and bad films, measured on some with markup and a wrong label."""
    folder = tmp_path_factory.mktemp("model")
    data = folder / "films <b>.csv"
    data.write_text(
        "text,label\n" + "".join(f"{t},{x}\n" for t, x in zip(TEXTS, LABELS, strict=True))
    )
    train(Options(str(data), folder, recipe="best"), Terminal(Console(quiet=True)))
    manifest, _ = load(folder)
    counts, terms = BEST.count(TEXTS)
    pipeline = BEST.pipeline(BEST.estimator(0).fit(counts, LABELS), terms)
    reviews = Reviews(TEXTS, LABELS, "films", "", ("text", "label"))
    test = Reviews([*TEXTS, HOSTILE], [*LABELS, 0], "films", "", ("text", "label"))
    return Made(manifest, evaluate(pipeline, Sigmoid(2, 0), test, reviews), pipeline)


@pytest.fixture(scope="module")
def content(made: Made) -> str:
    """The report of that model, as HTML."""
    return made.render()


def test_the_page_is_self_contained(content: str) -> None:
    """No scripts, no styles, pictures or fonts from elsewhere, and every element is closed."""
    page = Page(content)
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
    used |= set(re.findall(r"url\(#([^)]+)\)", content))
    assert used <= set(ids)


def test_texts_are_shown_as_text(content: str) -> None:
    """A review with tags is shown as it was written, except for its line breaks."""
    page = Page(content)
    assert '<script>alert("1")</script> & <img src="http://example.com/x"> good\nfilm' in page.text
    assert "films <b>.csv" in page.text
    assert "<b>.csv" not in content


def test_the_page_has_six_figures(content: str) -> None:
    """Both curves, confusion, calibration, and the strongest words for each label."""
    page = Page(content)
    assert page.tags.count("svg") == 6
    for text in ("ROC curve", "Precision and recall", "Confusion matrix", "Calibration"):
        assert text in page.text
    assert "good film" in page.text
    assert "bad film" in page.text


def test_the_page_has_the_manifest(made: Made, content: str) -> None:
    """Every stored figure can be read."""
    text = Page(content).text
    assert made.manifest.sha256 in text
    assert made.manifest.training["fingerprint"] in text
    assert f"{made.manifest.metrics['accuracy']:.4f}" in text


def test_the_same_model_gives_the_same_page(made: Made, content: str) -> None:
    """Nothing on the page depends on the time or on chance."""
    assert made.render() == content


def test_the_worst_errors_come_first() -> None:
    """Only errors, by their distance from the boundary; a score of zero predicts class 0."""
    scores = np.array([-3.0, 0.5, 2.0, -0.1, 0.0])
    evaluation = Evaluation(
        [*"abcde"], np.array([1, 0, 1, 1, 1]), scores, scores, np.zeros(5, dtype=bool)
    )
    assert most_wrong(evaluation) == [0, 1, 3, 4]
    assert most_wrong(evaluation, 1) == [0]


def test_a_model_without_errors_has_a_page(made: Made) -> None:
    """When no review is misclassified, the page says so."""
    found = made.evaluation
    right = Evaluation(
        found.texts[:-1],
        found.labels[:-1],
        found.scores[:-1],
        found.probabilities[:-1],
        found.seen[:-1],
    )
    assert "It made no error" in replace(made, evaluation=right).render()


def test_the_strongest_words_have_the_right_sign(made: Made) -> None:
    """Positive weights for one label, negative ones for the other, the strongest first."""
    positive, negative = strongest(made.pipeline, 3)
    assert "good" in {term for term, _ in positive}
    assert "bad" in {term for term, _ in negative}
    assert [weight for _, weight in positive] == sorted((w for _, w in positive), reverse=True)
    assert [weight for _, weight in negative] == sorted(w for _, w in negative)
    assert positive[-1][1] > 0 > negative[-1][1]


def test_training_writes_the_report(sample_model: Path) -> None:
    """The report is stored next to the model, and describes that model."""
    content = (sample_model / "report" / "index.html").read_text()
    assert load(sample_model)[0].sha256 in Page(content).text
    assert not list((sample_model / "report").glob(".*"))


def test_blanks_of_terms_are_visible() -> None:
    """A term of characters shows the blanks at its ends and its line breaks; words stay."""
    drawn = plots.words([(" a", 3.0), ("b\nc", 2.0), ("not good", 1.0)], "positive", "#000000")
    for term in ("␣a", "b␣c", "not good"):
        assert f">{term}<" in drawn
