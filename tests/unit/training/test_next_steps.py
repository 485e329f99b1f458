"""What to type after a model is stored."""

from pathlib import Path

from training.next_steps import next_steps
from training.options import ROOT, model_folder


def test_a_new_model_needs_an_endpoint(tmp_path: Path) -> None:
    """Without a folder in handlers/, the steps are: declare it, deploy it, publish the model."""
    where, _, *commands = next_steps("tickets", model_folder("tickets"), tmp_path)
    assert where.startswith("The model is in .local/model/tickets; its report is .local/model")
    assert [line.strip() for line in commands] == [
        "./scripts/new tickets",
        "npx sls deploy --stage local",
        "python -m training publish --name tickets --stage local",
    ]


def test_a_model_with_an_endpoint_is_published(tmp_path: Path) -> None:
    """With an endpoint, publishing is what is left; the folder is named if it is not the usual."""
    (tmp_path / "handlers" / "house_prices").mkdir(parents=True)
    publish = "python -m training publish --name house-prices"
    for folder, command in (
        (ROOT / model_folder("house-prices"), f"{publish} --stage local"),
        (Path("else where"), f"{publish} --model 'else where' --stage local"),
    ):
        assert next_steps("house-prices", folder, tmp_path)[-1].endswith(command)
