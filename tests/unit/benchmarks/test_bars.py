"""Bars of the default recipes: measured where there are data, and skipped where there are none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.bars import BARS, Bar, accuracy, check, find, r_squared, roc_auc
from benchmarks.recipes import main
from scripts.lib.project import ScriptError
from tests.helpers.customers import churned, customers, prices
from tests.helpers.tickets import tickets


def test_figures_of_made_up_data(tmp_path: Path) -> None:
    """Accuracy on a test split, and area under ROC and R² in cross-validation."""
    texts, kinds = tickets(300)
    frame = pd.DataFrame({"text": texts, "label": kinds})
    frame[:200].to_csv(tmp_path / "train.csv", index=False)
    frame[200:].to_csv(tmp_path / "test.csv", index=False)
    assert accuracy(tmp_path / "train.csv", tmp_path / "test.csv") > 0.95
    table = customers().drop(columns="note")
    table.assign(left=np.where(churned(), "no", "yes")).to_csv(tmp_path / "left.csv", index=False)
    table.assign(price=prices()).to_csv(tmp_path / "price.csv", index=False)
    assert 0.85 < roc_auc(tmp_path / "left.csv", "left") < 1
    assert 0.8 < r_squared(tmp_path / "price.csv", "price") < 1


def test_a_bar_is_met_missed_or_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line has the figure and the bar; without its file, it says what is missing where."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "some.csv").write_text("a,b\n")
    bars = [Bar("data", "R²", least, ("some",), lambda file: 0.5) for least in (0.5, 0.6)]
    assert [check(bar, tmp_path) for bar in bars] == [True, False]
    assert find(tmp_path, "some") == tmp_path / "tables" / "some.csv"
    printed = capsys.readouterr()
    assert "✓ data: R² 0.5000, at least 0.5" in printed.out
    assert "✗ data: R² 0.5000, at least 0.6" in printed.err
    assert check(BARS["trec"], tmp_path) is None
    assert "skipped" in capsys.readouterr().out


def test_data_sets_are_chosen_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any of their files, the command fails, and says what it has looked for."""
    monkeypatch.setattr("sys.argv", ["bench-model", "--data", str(tmp_path), "telco", "imdb"])
    with pytest.raises(ScriptError, match="has none of the files"):
        main()
    printed = capsys.readouterr().out
    assert "telco.csv" in printed
    assert "imdb_train.csv" in printed
    assert "diamonds" not in printed
