"""What would be deployed to AWS: sound, and for `local` the same but for its parameters."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.lib.emulator import Emulator
from scripts.lib.layer import check_total
from scripts.lib.stack import serverless

# What the deployer itself writes on purpose:
IGNORED = "W3005"  # a DependsOn beside a GetAtt of the same role


def package(project: Path, emulator: Emulator, stage: str) -> Path:
    """Package a stage without deploying it; return the folder with templates and zips."""
    folder = project / f"package-{stage}"
    serverless(["package", "--package", str(folder)], stage=stage, url=emulator.url, cwd=project)
    return folder


def template(folder: Path) -> dict[str, Any]:
    """Return a package's template without what differs at every run."""
    text = (folder / "cloudformation-template-update-stack.json").read_text()
    text = re.sub(
        r"serverless/sklearn-api/([^/]+)/\d+-[\d:.TZ-]+/", r"serverless/sklearn-api/\1/", text
    )
    text = re.sub(r"ApiGatewayDeployment\d+", "ApiGatewayDeployment", text)
    return dict(json.loads(text))


@pytest.fixture
def prod(project: Path, emulator: Emulator) -> Path:
    """The package of stage `prod`."""
    return package(project, emulator, "prod")


def statements(found: dict[str, Any], role: str) -> list[dict[str, Any]]:
    """Return all statements of a role's policies."""
    policies = found["Resources"][role]["Properties"]["Policies"]
    return [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]


def test_the_template_is_sound(prod: Path) -> None:
    """cfn-lint finds nothing wrong with what would be deployed to AWS."""
    result = subprocess.run(
        [
            str(Path(sys.executable).with_name("cfn-lint")), "--ignore-checks", IGNORED, "--",
            str(prod / "cloudformation-template-update-stack.json"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def test_local_and_prod_differ_only_by_parameters(
    project: Path, emulator: Emulator, prod: Path
) -> None:
    """With prod's parameters, `local` becomes the same template, but for the stage's name."""
    configuration = project / "serverless.yml"
    text = configuration.read_text()
    # Cut the parameters of `local` out and give it those of `prod`.
    local = re.search(r"^  local:\n(?:    .*\n)+", text, re.MULTILINE)
    production = re.search(r"^  prod:\n((?:    .*\n)+)", text, re.MULTILINE)
    assert local
    assert production
    configuration.write_text(text.replace(local[0], f"  local:\n{production[1]}"))
    found = template(package(project, emulator, "local"))
    expected = template(prod)
    renamed = json.loads(re.sub(r"\bprod\b", "local", json.dumps(expected)))
    for output in ("ScikitLearnLambdaLayerHash",):  # a digest over the stage's name too
        del found["Outputs"][output]
        del renamed["Outputs"][output]
    assert found == renamed


def test_no_secret_is_in_the_template_of_prod(prod: Path) -> None:
    """API Gateway generates the key on AWS: the template gives none a value."""
    keys = [
        one
        for one in template(prod)["Resources"].values()
        if one["Type"] == "AWS::ApiGateway::ApiKey"
    ]
    assert len(keys) == 1
    assert "Value" not in keys[0]["Properties"]


def test_permissions_are_the_least(prod: Path) -> None:
    """Both read the pointer and artifacts, and can neither list nor write; each has its own log."""
    found = template(prod)
    allowed = {
        role: {
            action: one["Resource"]
            for one in statements(found, role)
            for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        }
        for role in ("HealthRole", "ReviewRole")
    }
    for role, group in (("HealthRole", "HealthLogGroup"), ("ReviewRole", "ReviewLogGroup")):
        assert set(allowed[role]) == {"logs:CreateLogStream", "logs:PutLogEvents", "s3:GetObject"}
        assert allowed[role]["logs:PutLogEvents"] == {"Fn::GetAtt": [group, "Arn"]}
    for role in ("HealthRole", "ReviewRole"):
        assert allowed[role]["s3:GetObject"] == [
            {"Fn::Sub": "${ModelBucket.Arn}/models/review/current.json"},
            {"Fn::Sub": "${ModelBucket.Arn}/models/review/*/model.zip"},
        ]
    roles = [k for k, v in found["Resources"].items() if v["Type"] == "AWS::IAM::Role"]
    assert sorted(roles) == ["HealthRole", "ReviewRole"]


def test_the_model_bucket_is_closed(prod: Path) -> None:
    """Models are versioned, encrypted, never public, and reached over TLS only."""
    resources = template(prod)["Resources"]
    bucket = resources["ModelBucket"]
    assert bucket["DeletionPolicy"] == "Retain"
    settings = bucket["Properties"]
    assert settings["VersioningConfiguration"] == {"Status": "Enabled"}
    assert settings["BucketEncryption"]
    assert set(settings["PublicAccessBlockConfiguration"].values()) == {True}
    policy = resources["ModelBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert policy[0]["Effect"] == "Deny"
    assert policy[0]["Condition"] == {"Bool": {"aws:SecureTransport": False}}


def test_every_route_wants_a_key_and_is_limited(prod: Path) -> None:
    """Both methods ask for the API key, and its usage plan has a throttle and a quota."""
    resources = template(prod)["Resources"].values()
    methods = [one["Properties"] for one in resources if one["Type"] == "AWS::ApiGateway::Method"]
    assert sorted(one["HttpMethod"] for one in methods) == ["GET", "POST"]
    assert all(one["ApiKeyRequired"] is True for one in methods)
    plans = [one["Properties"] for one in resources if one["Type"] == "AWS::ApiGateway::UsagePlan"]
    assert plans[0]["Throttle"]["RateLimit"] > 0
    assert plans[0]["Throttle"]["BurstLimit"] > 0
    assert plans[0]["Quota"]["Period"] == "MONTH"


def test_packages_hold_what_their_function_needs(project: Path, prod: Path) -> None:
    """Each zip holds the files that handlers/packages.yml lists for it, and no other."""
    listed = yaml.safe_load((project / "handlers" / "packages.yml").read_text())
    for function, patterns in listed.items():
        expected = {
            str(path.relative_to(project)) for pattern in patterns for path in project.glob(pattern)
        }
        with zipfile.ZipFile(prod / f"{function}.zip") as archive:
            assert set(archive.namelist()) == expected
    assert "sklearn_api/predictor.py" not in zipfile.ZipFile(prod / "health.zip").namelist()


def test_the_log_is_kept_for_a_time(prod: Path) -> None:
    """Both log groups have a retention, so that logs do not grow for ever."""
    groups = [
        one["Properties"]
        for one in template(prod)["Resources"].values()
        if one["Type"] == "AWS::Logs::LogGroup"
    ]
    assert len(groups) == 2
    assert all(group["RetentionInDays"] == 90 for group in groups)


def test_every_function_fits_beside_the_layer(prod: Path, layer: Path) -> None:
    """Layer and function together stay below AWS's limit for what is unpacked."""
    unpacked = json.loads(layer.with_suffix(".json").read_text())["unzipped_size"]
    sizes = {}
    for name in ("health", "review"):
        with zipfile.ZipFile(prod / f"{name}.zip") as archive:
            sizes[name] = sum(member.file_size for member in archive.infolist())
            assert 0 < sizes[name] < 200_000
    check_total(unpacked, sizes)
