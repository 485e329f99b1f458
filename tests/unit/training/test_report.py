"""The report: one page that stands alone, and shows what the evaluation holds."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from sklearn_api.calibration import Calibration
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
    """Collects what a browser would see of a page, and checks that elements are closed."""

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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Evaluation, Any]:
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
    return manifest, evaluate(pipeline, Calibration(2, 0), test, reviews), pipeline


def test_the_page_needs_nothing_beside_it(made: tuple[Manifest, Evaluation, Any]) -> None:
    """No script, no style or picture or font from elsewhere, and elements that close."""
    page = Page(render(*made))
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
    used |= set(re.findall(r"url\(#([^)]+)\)", render(*made)))
    assert used <= set(ids)


def test_texts_are_shown_and_are_no_markup(made: tuple[Manifest, Evaluation, Any]) -> None:
    """A review with tags is read as it was written, but for its line breaks."""
    content = render(*made)
    page = Page(content)
    assert '<script>alert("1")</script> & <img src="http://example.com/x"> good\nfilm' in page.text
    assert "films <b>.csv" in page.text
    assert "<b>.csv" not in content


def test_the_six_drawings_are_there(made: tuple[Manifest, Evaluation, Any]) -> None:
    """Both curves, confusion, calibration, and the strongest words each way, with their text."""
    page = Page(render(*made))
    assert page.tags.count("svg") == 6
    for text in ("ROC curve", "Precision and recall", "Confusion matrix", "Calibration"):
        assert text in page.text
    assert "good film" in page.text
    assert "bad film" in page.text


def test_the_manifest_is_there(made: tuple[Manifest, Evaluation, Any]) -> None:
    """Every figure that is stored can be read."""
    manifest, _, _ = made
    text = Page(render(*made)).text
    assert manifest.sha256 in text
    assert manifest.training["fingerprint"] in text
    assert f"{manifest.metrics['accuracy']:.4f}" in text


def test_the_same_model_gives_the_same_page(made: tuple[Manifest, Evaluation, Any]) -> None:
    """Nothing in it depends on the time or on chance."""
    assert render(*made) == render(*made)


def test_the_most_wrong_come_first() -> None:
    """Errors only, by their distance from the boundary; a score of zero is a no."""
    scores = np.array([-3.0, 0.5, 2.0, -0.1, 0.0])
    evaluation = Evaluation(
        [*"abcde"], np.array([1, 0, 1, 1, 1]), scores, scores, np.zeros(5, dtype=bool)
    )
    assert most_wrong(evaluation) == [0, 1, 3, 4]
    assert most_wrong(evaluation, 1) == [0]


def test_a_model_without_errors_is_drawn(made: tuple[Manifest, Evaluation, Any]) -> None:
    """Where nothing is wrong, the page says so."""
    manifest, found, pipeline = made
    right = Evaluation(
        found.texts[:-1],
        found.labels[:-1],
        found.scores[:-1],
        found.probabilities[:-1],
        found.seen[:-1],
    )
    assert "It made no error" in render(manifest, right, pipeline)


def test_the_strongest_words_speak_for_their_side(
    made: tuple[Manifest, Evaluation, Any],
) -> None:
    """Positive weights on one side, negative ones on the other, the strongest first."""
    best, worst = strongest(made[2], 3)
    assert "good" in {term for term, _ in best}
    assert "bad" in {term for term, _ in worst}
    assert [weight for _, weight in best] == sorted((w for _, w in best), reverse=True)
    assert [weight for _, weight in worst] == sorted(w for _, w in worst)
    assert best[-1][1] > 0 > worst[-1][1]


def test_training_writes_the_report(tmp_path: Path) -> None:
    """It lies beside the model, and is the page of that model."""
    manifest = train(Options(None, tmp_path), Terminal(Console(quiet=True)))
    content = (tmp_path / "report" / "index.html").read_text()
    assert manifest.sha256 in Page(content).text
    assert not list((tmp_path / "report").glob(".*"))
