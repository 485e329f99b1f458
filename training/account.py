"""The AWS account of a stage, and what its stack says of itself."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ProfileNotFound

from training.artifact.manifest import Manifest
from training.errors import TrainingError

SERVICE = "sklearn-api"
LOCAL_ENDPOINT = "http://127.0.0.1:4566"
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Target:
    """Where a stage's models are, and what they must have been trained with.

    Attributes
    ----------
    bucket : str
        Of the models.
    stage : str
        A stage of serverless.yml.
    runtime : str or None
        The Lambdas' runtime, such as ``python3.13``; None where it is not known.
    scikit_learn : str or None
        The version in their layer; None where it is not known.
    """

    bucket: str
    stage: str
    runtime: str | None = None
    scikit_learn: str | None = None

    def check(self, manifest: Manifest) -> None:
        """Refuse a model that the stage's Lambdas would refuse.

        Raises
        ------
        TrainingError
            They run another Python or scikit-learn than the one that trained it.
        """
        scikit_learn = manifest.libraries.get("scikit-learn")
        for name, trained, runs in (
            ("Python", f"python{manifest.python}", self.runtime),
            ("scikit-learn", scikit_learn, self.scikit_learn),
        ):
            if runs is not None and trained != runs:
                raise TrainingError(
                    f"the model was trained with {name} {str(trained).removeprefix('python')}, "
                    f"stage {self.stage} runs {runs}; train with what the stage runs, or deploy "
                    "the stage with what the model was trained with"
                )


class Account:
    """The AWS account of a stage; for an emulated one it is the emulator's, with dummy credentials.

    Parameters
    ----------
    stage : str
        A stage of serverless.yml.
    region : str, optional
        Otherwise that of the environment or the profile, or us-east-1, as in serverless.yml.
    environ : mapping
        Environment variables. ``AWS_ENDPOINT_URL`` names another emulator, and ``EMULATED_STAGE``
        a stage that is sent to it besides `local`, as for the deployer.
    """

    def __init__(
        self, stage: str, region: str | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.stage = stage
        self._emulated = stage in ("local", environ.get("EMULATED_STAGE"))
        self.endpoint = environ.get("AWS_ENDPOINT_URL") or (
            LOCAL_ENDPOINT if self._emulated else None
        )
        credentials: dict[str, str] = {}
        if self._emulated:  # whatever the environment holds is for a real account
            credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        try:
            session = boto3.Session(**credentials)  # type: ignore[arg-type]  # two of its strings
        except ProfileNotFound as exc:
            raise TrainingError(
                f"{exc}; set AWS_PROFILE to one of `aws configure list-profiles`"
            ) from exc
        self._session = session
        known = environ.get("AWS_REGION") if self._emulated else session.region_name
        self._region = region or known or DEFAULT_REGION

    def client(self, service: str) -> Any:
        """Return a boto3 client; of any type, since the service is a variable."""
        with self.errors():
            try:
                return self._session.client(  # type: ignore[call-overload]  # the same reason
                    service, region_name=self._region, endpoint_url=self.endpoint
                )
            except ValueError as exc:
                raise TrainingError(f"AWS_ENDPOINT_URL is no address: {exc}") from exc

    def target(self) -> Target:
        """Return where the stage's models are, from the outputs of its stack.

        Raises
        ------
        TrainingError
            The stage is not deployed, or its account cannot be reached.
        """
        stack = f"{SERVICE}-{self.stage}"
        cloudformation = self.client("cloudformation")
        with self.errors():
            try:
                found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
            except ClientError as exc:
                if "does not exist" not in str(exc):
                    raise
                raise TrainingError(
                    f"stage {self.stage} is not deployed in {self._region}: there is no stack "
                    f"{stack}; deploy it first: npx sls deploy --stage {self.stage}"
                ) from exc
        outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
        wanted = ("ModelBucketName", "ModelRuntime", "ModelScikitLearn")
        missing = [name for name in wanted if name not in outputs]
        if missing:
            raise TrainingError(
                f"stack {stack} has no output {', '.join(missing)}; deploy it again: "
                f"npx sls deploy --stage {self.stage}"
            )
        return Target(
            str(outputs["ModelBucketName"]),
            self.stage,
            str(outputs["ModelRuntime"]),
            str(outputs["ModelScikitLearn"]),
        )

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what AWS's client raises into one clear sentence."""
        where = self.endpoint or f"AWS ({self._region})"
        try:
            yield
        except NoCredentialsError as exc:
            raise TrainingError(
                "there are no AWS credentials here; `aws configure` or AWS_PROFILE gives them"
            ) from exc
        except ClientError as exc:
            raise TrainingError(f"{where} refused: {exc}") from exc
        except BotoCoreError as exc:
            start = "; start the emulator with ./scripts/up" if self._emulated else ""
            raise TrainingError(f"{where} cannot be reached: {exc}{start}") from exc
