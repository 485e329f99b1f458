"""Make a trained model the one that a stage serves."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ProfileNotFound

from sklearn_api.artifact import Manifest
from sklearn_api.errors import ArtifactError, ConflictError, ModelUnavailableError
from sklearn_api.store import ModelStore, Pointer
from training.errors import TrainingError

SERVICE = "sklearn-api"
LOCAL_ENDPOINT = "http://127.0.0.1:4566"
DEFAULT_REGION = "us-east-1"


class Account:
    """The AWS account of a stage; for `local` it is the emulator's, with dummy credentials.

    Parameters
    ----------
    stage : str
        A stage of serverless.yml.
    region : str, optional
        Otherwise that of the environment or the profile, or us-east-1, as in serverless.yml.
    environ : mapping
        Environment variables; ``AWS_ENDPOINT_URL`` names another emulator.
    """

    def __init__(
        self, stage: str, region: str | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.stage = stage
        self._local = stage == "local"
        self.endpoint = environ.get("AWS_ENDPOINT_URL") or (LOCAL_ENDPOINT if self._local else None)
        credentials: dict[str, str] = {}
        if self._local:  # whatever the environment holds is for a real account
            credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        try:
            session = boto3.Session(**credentials)  # type: ignore[arg-type]  # two of its strings
        except ProfileNotFound as exc:
            raise TrainingError(
                f"{exc}; set AWS_PROFILE to one of `aws configure list-profiles`"
            ) from exc
        self._session = session
        known = environ.get("AWS_REGION") if self._local else session.region_name
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

    def bucket(self, python: str) -> str:
        """Return the bucket of the stage's models, from the outputs of its stack.

        Parameters
        ----------
        python : str
            Python that the model was trained with, such as ``3.13``.

        Raises
        ------
        TrainingError
            The stage is not deployed, its account cannot be reached, or its Lambdas run another
            Python: they would refuse the model.
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
        if not {"ModelBucketName", "ModelRuntime"} <= outputs.keys():
            raise TrainingError(
                f"stack {stack} does not name its model bucket and its runtime; deploy it again"
            )
        if outputs["ModelRuntime"] != f"python{python}":
            raise TrainingError(
                f"the model was trained with Python {python}, stage {self.stage} runs "
                f"{outputs['ModelRuntime']}; train with that Python (PYTHON_VERSION), or deploy "
                "with the model's"
            )
        return str(outputs["ModelBucketName"])

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
            start = "; start the emulator with ./scripts/up" if self._local else ""
            raise TrainingError(f"{where} cannot be reached: {exc}{start}") from exc


def publish(
    store: ModelStore,
    manifest: Manifest,
    content: bytes,
    *,
    now: datetime,
    progress: Callable[[int], None] | None = None,
) -> tuple[str, bool]:
    """Publish a model, unless it is the one that is served already.

    Parameters
    ----------
    store : ModelStore
        Where to.
    manifest, content : Manifest, bytes
        As `training.train.load` returns them.
    now : datetime
        Becomes part of the version's name.
    progress : callable, optional
        Called with numbers of bytes that were sent.

    Returns
    -------
    version : str
        That is served now.
    new : bool
        False when it was served before.

    Raises
    ------
    TrainingError
        Somebody else published meanwhile, the pointer is damaged, or S3 refused.
    """
    try:
        found = store.pointer()
    except ModelUnavailableError as exc:
        if getattr(exc.__cause__, "response", {}).get("Error", {}).get("Code") != "NoSuchKey":
            raise TrainingError(f"s3://{store.bucket}: {exc}") from exc
        found = None
    except ArtifactError as exc:
        raise TrainingError(f"{exc}; delete it, and publish again") from exc
    if found and found[0].sha256 == manifest.sha256:
        return found[0].version, False
    stamp = now.astimezone(UTC)
    version = f"{stamp:%Y%m%dT%H%M%SZ}-{manifest.sha256[:8]}"
    pointer = Pointer(
        manifest.name, version, manifest.sha256, stamp.isoformat(timespec="seconds"), manifest.form
    )
    try:
        store.publish(
            pointer,
            content,
            replace(manifest, version=version).to_json(),
            expected=found[1] if found else None,
            progress=progress,
        )
    except (ConflictError, ModelUnavailableError) as exc:
        raise TrainingError(str(exc)) from exc
    return version, True
