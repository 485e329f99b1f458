"""The AWS account of a stage, and the outputs of the stage's stack."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ProfileNotFound

from training.artifact.manifest import Manifest
from training.errors import TrainingError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

SERVICE = "sklearn-api"
LOCAL_ENDPOINT = "http://127.0.0.1:4566"
DEFAULT_REGION = "us-east-1"

_OUTPUTS = ("ModelBucketName", "ModelRuntime", "ModelScikitLearn", "ModelFormat", "ModelNames")

ATTEMPTS = 3
CONNECT_SECONDS = 20
READ_SECONDS = 60
"""An address that does not answer is given up after a minute. Neither timeout limits a whole upload
or download: urllib3 applies the first to each piece of a body that is sent, which waits for the
kernel's buffer on a slow line, and the second to the answer and to each piece of a download."""


@dataclass(frozen=True)
class Target:
    """A stage's model bucket, and the versions that its models must have been trained with.

    Attributes
    ----------
    bucket : str
        Holds the models.
    stage : str
        A stage of serverless.yml.
    runtime : str or None
        Runtime of the stage's Lambdas, such as ``python3.13``; None if unknown.
    scikit_learn : str or None
        Version of scikit-learn in their layer; None if unknown.
    format : int or None
        Format of the artifacts that they read; None if unknown.
    models : tuple of str or None
        The models that they serve; None if unknown.
    """

    bucket: str
    stage: str
    runtime: str | None = None
    scikit_learn: str | None = None
    format: int | None = None
    models: tuple[str, ...] | None = None

    def check(self, manifest: Manifest) -> None:
        """Refuse a model that the stage's Lambdas would refuse.

        Raises
        ------
        TrainingError
            The Lambdas run another Python or scikit-learn than the model was trained with, or read
            another format of artifacts.
        """
        if self.format is not None and manifest.format != self.format:
            newer = manifest.format > self.format
            remedy = (
                f"deploy the stage again: npx sls deploy --stage {self.stage}"
                if newer
                else "train or import it again with this version of the project"
            )
            raise TrainingError(
                f"the artifact of {manifest.name} has format {manifest.format}, but stage "
                f"{self.stage} reads format {self.format}; {remedy}"
            )
        scikit_learn = manifest.libraries.get("scikit-learn")
        for name, trained, runs in (
            ("Python", f"python{manifest.python}", self.runtime),
            ("scikit-learn", scikit_learn, self.scikit_learn),
        ):
            if runs is not None and trained != runs:
                raise TrainingError(
                    f"{manifest.name} was trained with {name} "
                    f"{str(trained).removeprefix('python')}, but stage {self.stage} runs {runs}; "
                    "train with the stage's version, or deploy the stage with the model's version"
                )


class Account:
    """The AWS account of a stage; for an emulated stage, the emulator with dummy credentials.

    Parameters
    ----------
    stage : str
        A stage of serverless.yml.
    region : str, optional
        Default: the region of the environment or the profile, or us-east-1 as in serverless.yml.
    environ : mapping
        Environment variables. ``AWS_ENDPOINT_URL`` sets the address of the emulator, and
        ``EMULATED_STAGE`` names a stage besides `local` that is emulated, as for the deployer.

    Raises
    ------
    TrainingError
        The AWS profile does not exist.
    """

    def __init__(
        self, stage: str, region: str | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        import boto3  # takes a second, and scripts import this module for its names

        self.stage = stage
        self._emulated = stage in ("local", environ.get("EMULATED_STAGE"))
        self.endpoint = environ.get("AWS_ENDPOINT_URL") or (
            LOCAL_ENDPOINT if self._emulated else None
        )
        credentials: dict[str, str] = {}
        if self._emulated:  # the environment's credentials belong to a real account
            credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        try:
            session = boto3.Session(**credentials)  # type: ignore[arg-type]  # some other parameters are not strings
        except ProfileNotFound as exc:
            raise TrainingError(
                f"{exc}; set AWS_PROFILE to one of `aws configure list-profiles`"
            ) from exc
        self._session = session
        known = environ.get("AWS_REGION") if self._emulated else session.region_name
        self._region = region or known or DEFAULT_REGION

    def client(self, service: str) -> Any:
        """Return a boto3 client with timeouts; its type is Any, since the service is a variable.

        Raises
        ------
        TrainingError
            The endpoint or the region is not valid.
        """
        from botocore.config import Config

        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": ATTEMPTS},
        )
        with self.errors():
            try:
                return self._session.client(  # type: ignore[call-overload]  # wants a literal
                    service, region_name=self._region, endpoint_url=self.endpoint, config=config
                )
            except ValueError as exc:
                raise TrainingError(f"AWS_ENDPOINT_URL is not a valid address: {exc}") from exc

    def target(self) -> Target:
        """Return the stage's model bucket and versions, from the outputs of its stack.

        Raises
        ------
        TrainingError
            The stage is not deployed, or its account cannot be reached.
        """
        stack = stack_name(self.stage)
        cloudformation = self.client("cloudformation")
        with self.errors():
            try:
                outputs = stack_outputs(cloudformation, stack)
            except ClientError as exc:
                if "does not exist" not in str(exc):
                    raise
                raise TrainingError(
                    f"stage {self.stage} is not deployed in {self._region}: stack {stack} does not "
                    f"exist; deploy the stage first: npx sls deploy --stage {self.stage}"
                ) from exc
        missing = [name for name in _OUTPUTS if name not in outputs]
        if missing:
            raise TrainingError(
                f"stack {stack} has no output {', '.join(missing)}; deploy it again: "
                f"npx sls deploy --stage {self.stage}"
            )
        bucket, runtime, scikit_learn, written, models = (outputs[name] for name in _OUTPUTS)
        return Target(
            bucket, self.stage, runtime, scikit_learn, int(written), tuple(models.split(","))
        )

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the exceptions of boto3 into a `TrainingError` of one clear sentence."""
        where = self.endpoint or f"AWS ({self._region})"
        try:
            yield
        except NoCredentialsError as exc:
            raise TrainingError(
                "no AWS credentials were found; run `aws configure` or set AWS_PROFILE"
            ) from exc
        except ClientError as exc:
            raise TrainingError(f"{where} refused the request: {exc}") from exc
        except BotoCoreError as exc:
            start = "; start the emulator with ./scripts/up" if self._emulated else ""
            raise TrainingError(f"{where} cannot be reached: {exc}{start}") from exc


def stack_name(stage: str) -> str:
    """Return the name of a stage's CloudFormation stack."""
    return f"{SERVICE}-{stage}"


def stack_outputs(cloudformation: "CloudFormationClient", stack: str) -> dict[str, str]:
    """Return the outputs of a stack, by their keys.

    Parameters
    ----------
    cloudformation : CloudFormation client
        Of the stack's account and region.
    stack : str
        Name of the stack, see `stack_name`.

    Raises
    ------
    botocore.exceptions.ClientError
        The stack does not exist, or access to it is denied.
    """
    found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
