"""The stage that a command works on: its options, its registry, and how messages name it."""

import argparse
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from training.commands.arguments import model_name
from training.options import MODEL_NAME

if TYPE_CHECKING:
    from training.account import Account, Target
    from training.registry import Registry

REGION = "default: that of your AWS profile, or us-east-1"
BUCKET = (
    "default: the model bucket of the stage's stack. If you name a bucket, the model is not "
    "checked against the stack"
)


def add_name(parser: argparse.ArgumentParser, help_text: str, default: str | None) -> None:
    """Add the option that names a model."""
    parser.add_argument("--name", type=model_name, default=default, help=help_text)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a model, with the example's as its default."""
    add_name(parser, "name of the model; default: %(default)s", MODEL_NAME)


def add_stage(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the versions of a model are."""
    parser.add_argument("--stage", default="local", help="default: %(default)s")
    parser.add_argument("--region", help=REGION)
    parser.add_argument("--bucket", help=BUCKET)


@dataclass(frozen=True)
class Place:
    """Where the versions of models are.

    Attributes
    ----------
    stage : str
        A stage of serverless.yml.
    region, bucket : str or None
        As the options of `add_stage` say.
    """

    stage: str
    region: str | None = None
    bucket: str | None = None

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "Place":
        """Return the place that the options of a command name."""
        return cls(arguments.stage, arguments.region, arguments.bucket)

    @property
    def options(self) -> str:
        """The options that lead to it, for a command in a message."""
        given = {"--stage": self.stage, "--region": self.region, "--bucket": self.bucket}
        return " ".join(f"{name} {shlex.quote(value)}" for name, value in given.items() if value)

    def __str__(self) -> str:
        return f"bucket {self.bucket}" if self.bucket else f"stage {self.stage}"

    def connect(self, name: str) -> "Connection":
        """Return the registry of a model here, and what its versions must fit.

        Raises
        ------
        TrainingError
            The stage is not deployed, or its account cannot be reached.
        """
        from training.account import Account, Target
        from training.registry import Registry

        account = Account(self.stage, self.region)
        target = Target(self.bucket, self.stage) if self.bucket else account.target()
        client: Any = account.client("s3")
        return Connection(Registry(client, target.bucket, name, self.options), target, account)


@dataclass(frozen=True)
class Connection:
    """A model's registry, what its versions must fit, and the account of both."""

    registry: "Registry"
    target: "Target"
    account: "Account"
