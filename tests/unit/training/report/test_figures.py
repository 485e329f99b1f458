"""What figures show, as far as the text of an SVG element tells."""

import re
import warnings
from typing import Any

import numpy as np
import pytest

from training.report.figures import bars, confusion, numbers
from training.report.figures.drawing import drawing


def texts(svg: str) -> list[str]:
    """Return the texts of a figure, in the order in which they are drawn."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_blanks_of_terms_are_visible() -> None:
    """A term of characters shows the blanks at its ends and its line breaks; words stay."""
    drawn = bars.words([(" a", 3.0), ("b\nc", 2.0), ("not good", 1.0)], "rising", "good")
    assert texts(drawn) == ["␣a", "b␣c", "not good"]


def test_texts_are_in_the_font_of_the_page() -> None:
    """No text names the font that it was measured with."""
    drawn = bars.words([("good", 3.0)], "rising", "good")
    assert "font-family: var(--font)" in drawn
    assert "DejaVu" not in drawn


def test_dollar_signs_are_no_formulas() -> None:
    """A formula would be drawn in italics, without its signs, or raise an error."""
    words = ["$5 and $6", "a_b $x$", "$\\frac$"]
    drawn = confusion.confusion(np.eye(3, dtype=int), words)
    assert set(words) <= set(texts(drawn))


def test_names_in_other_scripts_have_room() -> None:
    """A wide character takes as much room as it has in the page, and no font complains."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        latin = bars.words([("ab" * 4, 1.0)], "one", "x")
        chinese = bars.words([("物流" * 4, 1.0)], "two", "x")
        hindi = bars.words([("हिन्दी विभाग", 1.0)], "three", "x")
    assert start(chinese) > start(latin) + 20
    assert start(hindi) > start(latin)
    assert texts(chinese) == ["物流" * 4]


def start(svg: str) -> float:
    """Return where the name of the first bar ends."""
    found = re.search(r'<text [^>]*text-anchor: end[^>]* x="([\d.]+)"', svg)
    assert found is not None
    return float(found[1])


def test_long_names_are_cut() -> None:
    """Wide characters count almost twice."""
    latin, chinese = texts(bars.words([("x" * 99, 2.0), ("物" * 99, 1.0)], "one", "x"))
    assert latin == "x" * 30 + "…"
    assert chinese == "物" * 17 + "…"


def test_a_small_matrix_has_percentages() -> None:
    """Counts and shares of the true class; of many classes only counts that are not zero."""
    drawn = texts(confusion.confusion(np.array([[3, 1], [0, 1200]]), ["a", "b"]))
    assert drawn.count("75.0%") == 1
    assert {"3", "1", "0", "1,200", "25.0%", "100.0%", "predicted", "true"} <= set(drawn)
    many = np.eye(20, dtype=int) * 7
    many[3, 4] = 2
    drawn = texts(confusion.confusion(many, [f"c{number}" for number in range(20)]))
    assert (drawn.count("7"), drawn.count("2"), drawn.count("0")) == (20, 1, 0)


def test_the_most_confused_classes_are_found() -> None:
    """Those with the most rows beside the diagonal, in the order of the classes."""
    matrix = np.diag([9, 9, 9, 9])
    matrix[3, 0], matrix[1, 0], matrix[2, 3] = 4, 1, 2
    assert confusion.most_confused(matrix, 2) == [0, 3]
    assert confusion.confusions(matrix, 2) == [(3, 0), (2, 3)]
    assert confusion.confusions(matrix, 9) == [(3, 0), (2, 3), (1, 0)]
    assert confusion.confusions(np.eye(3, dtype=int), 9) == []


def test_a_class_without_figures_keeps_its_line() -> None:
    """A class that no row has, and that was never predicted, has a name and no dots."""
    rows: dict[str, dict[str, Any]] = {
        "a": {"precision": 0.5, "recall": 1.0, "f1": 2 / 3, "support": 3},
        "b": {"precision": None, "recall": None, "f1": None, "support": 0},
    }
    drawn = bars.classes(rows)
    assert {"a", "b", "3", "0", "precision", "recall"} <= set(texts(drawn))


def test_large_numbers_are_short() -> None:
    """Prices in millions have ticks such as 2M, and small numbers those that they have."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(1e6, 9e6, 50)
    drawn = texts(numbers.predicted_against_true(truth, truth + rng.normal(0, 1e5, 50)))
    assert "4M" in drawn
    small = texts(numbers.predicted_against_true(truth / 1e7, truth / 1e7))
    assert "0.4" in small
    assert not any(text.endswith(("m", "k", "M")) for text in small)


def test_numbers_of_many_sizes_have_logarithmic_axes() -> None:
    """Positive ones alone: there is no logarithm of the others."""
    wide = np.array([1.0, 10, 5000])
    assert numbers.is_logarithmic(wide, wide)
    assert not numbers.is_logarithmic(wide, wide - 1)
    assert not numbers.is_logarithmic(wide[:2], wide[:2])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [[0.0], [2.0, 2.0], [1e-12, -1e-12], [1e15, -1e15, 3.0]])
def test_few_or_equal_errors_can_be_drawn(values: list[float]) -> None:
    """No error of the model at all, a single row, and sizes far apart."""
    errors = np.array(values)
    for drawn in (
        numbers.residuals(errors, "rows"),
        numbers.sizes(errors, "rows"),
        numbers.residuals_against_predicted(errors + 5, errors),
        numbers.predicted_against_true(np.full(len(errors), 5.0), errors + 5),
        numbers.predictions(errors, "rows"),
    ):
        assert drawn.startswith("<svg")


def test_the_worst_errors_are_drawn() -> None:
    """Of ten thousand rows 1,500 are drawn, and the two that are far off are among them."""
    errors = np.zeros(10_001)
    errors[[4321, 8642]] = 1000, -900
    drawn = numbers.residuals_against_predicted(np.arange(10_001.0), errors)
    heights = {round(float(y)) for y in re.findall(r'<use [^>]*y="([\d.]+)"', drawn)}
    assert len(re.findall(r"<use ", drawn)) < 1600
    assert len(heights) >= 3


def test_descriptions_are_escaped() -> None:
    """Words of labels may be in what screen readers read."""
    with drawing("x", 'of "<b>"') as done:
        done.axes.plot([0, 1])
    assert 'aria-label="of &quot;&lt;b&gt;&quot;"' in done.svg
