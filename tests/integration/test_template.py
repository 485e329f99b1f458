"""The template for AWS: sound, and the same for `local` except for its parameters."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.configuration import packages, served_models
from scripts.lib.emulator import Emulator
from scripts.lib.layer.limits import check_total
from scripts.lib.live_code import Copies
from scripts.lib.project import ROOT, ScriptError, architecture, python_version
from scripts.lib.stack import credentials, serverless
from sklearn_api.artifact.header import FORMAT

# Python calls an audit hook for everything that it compiles.
IMPORT = """
import sys
compiled = []
sys.addaudithook(lambda event, args: compiled.append(args[1]) if event == "compile" else None)
from handlers.{function}.handler import handler
ours = [name for name in compiled if "/handlers/" in name or "/sklearn_api/" in name]
import json
print(json.dumps([sorted(sys.modules), ours]))
"""

FUNCTIONS = sorted(packages(ROOT))

# The deployer writes this on purpose:
IGNORED = "W3005"  # a DependsOn beside a GetAtt of the same role


def package(project: Path, emulator: Emulator, stage: str) -> Path:
    """Package a stage without deploying it; return the folder with the template and the zips."""
    folder = project / f"package-{stage}"
    serverless(["package", "--package", str(folder)], stage=stage, url=emulator.url, cwd=project)
    return folder


def template(folder: Path) -> dict[str, Any]:
    """Return the template of a package without the values that differ in each run."""
    text = (folder / "cloudformation-template-update-stack.json").read_text()
    text = re.sub(
        r"serverless/sklearn-api/([^/]+)/\d+-[\d:.TZ-]+/", r"serverless/sklearn-api/\1/", text
    )
    text = re.sub(r"ApiGatewayDeployment\d+", "ApiGatewayDeployment", text)
    return dict(json.loads(text))


@pytest.fixture
def prod(project: Path, emulator: Emulator) -> Path:
    """The package of the stage `prod`."""
    return package(project, emulator, "prod")


def statements(found: dict[str, Any], role: str) -> list[dict[str, Any]]:
    """Return all statements of the policies of a role."""
    policies = found["Resources"][role]["Properties"]["Policies"]
    return [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]


def test_the_template_is_sound(prod: Path) -> None:
    """cfn-lint finds no fault in the template for AWS."""
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
    """With prod's parameters, the template of `local` is the same except for the stage's name."""
    configuration = project / "serverless.yml"
    text = configuration.read_text()
    # Replace the parameters of `local` with those of `prod`.
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
    """API Gateway generates the key on AWS: the template contains no value."""
    keys = [
        one
        for one in template(prod)["Resources"].values()
        if one["Type"] == "AWS::ApiGateway::ApiKey"
    ]
    assert len(keys) == 1
    assert "Value" not in keys[0]["Properties"]


def test_functions_have_the_least_permissions(prod: Path) -> None:
    """Functions read the pointer and artifacts of their models, and write their own log.

    They can neither list nor write objects. `health` reads what all others read together.
    """
    found = template(prod)
    functions = {
        name.removesuffix("LambdaFunction"): one["Properties"]
        for name, one in found["Resources"].items()
        if one["Type"] == "AWS::Lambda::Function"
    }
    assert {"Health", "Review"} <= set(functions)
    read = {}
    for name, function in functions.items():
        role = f"{name}Role"
        assert function["Role"] == {"Fn::GetAtt": [role, "Arn"]}
        allowed = {
            action: one["Resource"]
            for one in statements(found, role)
            for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        }
        assert set(allowed) == {"logs:CreateLogStream", "logs:PutLogEvents", "s3:GetObject"}
        assert allowed["logs:PutLogEvents"] == {"Fn::GetAtt": [f"{name}LogGroup", "Arn"]}
        read[name] = allowed["s3:GetObject"]
        if name != "Health":
            assert read[name] == objects(function["Environment"]["Variables"]["MODEL_NAME"])
    of_health = functions["Health"]["Environment"]["Variables"]["MODEL_NAMES"].split(",")
    assert sorted(map(str, read.pop("Health"))) == sorted(
        str(one) for name in of_health for one in objects(name)
    )
    assert len(of_health) == len(read)
    roles = [k for k, v in found["Resources"].items() if v["Type"] == "AWS::IAM::Role"]
    assert sorted(roles) == sorted(f"{name}Role" for name in functions)


def objects(model: str) -> list[dict[str, str]]:
    """Return the objects of a model that may be read, as a policy names them."""
    return [
        {"Fn::Sub": f"${{ModelBucket.Arn}}/models/{model}/{key}"}
        for key in ("current.json", "*/model.zip")
    ]


def test_outputs_say_what_models_must_fit(prod: Path) -> None:
    """`publish` learns from the stack which models it serves, and what it can read."""
    found = {name: one["Value"] for name, one in template(prod)["Outputs"].items()}
    assert found["ModelNames"] == ",".join(served_models(ROOT))
    assert found["ModelFormat"] == str(FORMAT)
    assert found["ModelRuntime"] == f"python{python_version()}"


def test_the_role_of_review_keeps_its_name(prod: Path) -> None:
    """A stack that is deployed already keeps its role: neither its logical ID nor its name changes."""
    role = template(prod)["Resources"]["ReviewRole"]["Properties"]
    assert role["RoleName"] == "sklearn-api-prod-us-east-1-review"


@pytest.mark.parametrize(
    ("name", "model", "message"),
    [
        ("x" * 40, "x", "has 67 characters; IAM allows 64"),
        ("x", "'*'", 'MODEL_NAME of the function x is "*"'),
        ("x", "review/..", 'MODEL_NAME of the function x is "review/.."'),
    ],
    ids=["long", "wildcard", "path"],
)
def test_a_role_that_cannot_be_made_is_refused(
    project: Path, emulator: Emulator, name: str, model: str, message: str
) -> None:
    """A role's name that is too long, or a model's name that would open a policy, ends packaging."""
    configuration = project / "serverless.yml"
    function = (project / "handlers" / "review" / "function.yml").read_text()
    (project / "handlers" / "review" / "another.yml").write_text(
        function.replace("MODEL_NAME: review", f"MODEL_NAME: {model}")
    )
    line = f"  {name}: ${{file(handlers/review/another.yml)}}\n"
    configuration.write_text(
        configuration.read_text().replace("functions:\n", f"functions:\n{line}")
    )
    with pytest.raises(ScriptError, match=re.escape(message)):
        package(project, emulator, "prod")


def test_the_model_bucket_is_closed(prod: Path) -> None:
    """The bucket is versioned, encrypted, never public, and only reachable over TLS."""
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


def test_every_route_requires_a_key_and_is_limited(prod: Path) -> None:
    """Every method requires the API key, and its usage plan has a throttle and a quota."""
    resources = template(prod)["Resources"].values()
    methods = [one["Properties"] for one in resources if one["Type"] == "AWS::ApiGateway::Method"]
    assert {one["HttpMethod"] for one in methods} == {"GET", "POST"}
    assert all(one["ApiKeyRequired"] is True for one in methods)
    plans = [one["Properties"] for one in resources if one["Type"] == "AWS::ApiGateway::UsagePlan"]
    assert plans[0]["Throttle"]["RateLimit"] > 0
    assert plans[0]["Throttle"]["BurstLimit"] > 0
    assert plans[0]["Quota"]["Period"] == "MONTH"


def test_packages_contain_the_listed_files_only(project: Path, prod: Path, tmp_path: Path) -> None:
    """Each zip contains the files that serverless.yml lists, their bytecode, and nothing else."""
    for function, patterns in packages(project).items():
        sources = set(map(Path, Copies(project, patterns, tmp_path / function).update()))
        bytecode = {
            path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
            for path in sources
        }
        with zipfile.ZipFile(prod / f"{function}.zip") as archive:
            assert sorted(archive.namelist()) == sorted(map(str, sources | bytecode))
    assert "sklearn_api/load.py" not in zipfile.ZipFile(prod / "health.zip").namelist()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_cold_start_compiles_nothing(prod: Path, tmp_path: Path, function: str) -> None:
    """Importing a function from its zip reads bytecode and compiles no source."""
    with zipfile.ZipFile(prod / f"{function}.zip") as archive:
        archive.extractall(tmp_path / "task")
    result = subprocess.run(
        [sys.executable, "-B", "-c", IMPORT.format(function=function)],
        cwd=tmp_path / "task",
        env={
            "MODEL_BUCKET": "none",
            "MODEL_NAME": function,
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    imported, compiled = json.loads(result.stdout.splitlines()[-1])
    assert "sklearn_api.endpoint" in imported
    assert compiled == []


def test_the_same_sources_make_the_same_zips(project: Path, emulator: Emulator, prod: Path) -> None:
    """Packaging again at another time gives the same zips, byte for byte."""
    before = {path.name: path.read_bytes() for path in prod.glob("*.zip")}
    for source in project.glob("sklearn_api/**/*.py"):
        source.touch()
    again = package(project, emulator, "prod")
    assert {path.name: path.read_bytes() for path in again.glob("*.zip")} == before


def test_a_mistake_is_found_before_it_is_deployed(project: Path, emulator: Emulator) -> None:
    """A syntax error ends packaging, with the function, the file and the line."""
    (project / "sklearn_api" / "http.py").write_text("def broken(:\n")
    with pytest.raises(ScriptError) as raised:
        package(project, emulator, "prod")
    for zipped in FUNCTIONS:
        assert (
            f"{zipped}.zip could not be packaged: sklearn_api/http.py is not valid Python "
            f"{python_version()}: line 1: invalid syntax"
        ) in str(raised.value)


def test_without_an_interpreter_sources_are_packaged(
    project: Path, emulator: Emulator, tmp_path: Path
) -> None:
    """Without a Python of the runtime's version, the deployer continues without bytecode and says so."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "node").symlink_to(shutil.which("node") or "")
    result = subprocess.run(
        [str(ROOT / "node_modules" / ".bin" / "sls"), "package", "--stage", "prod"],
        cwd=project,
        env={
            **credentials(),
            "AWS_ENDPOINT_URL": emulator.url,
            "EMULATED_STAGE": "prod",
            "LAMBDA_ARCHITECTURE": architecture(),
            "PYTHON_VERSION": python_version(),
            "PATH": str(tools),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert "packaged without bytecode, and each cold start compiles" in result.stdout
    assert f"Python {python_version()} was not found" in result.stdout
    with zipfile.ZipFile(project / ".serverless" / "health.zip") as archive:
        assert all(name.endswith(".py") for name in archive.namelist())


def test_logs_expire(prod: Path) -> None:
    """Every log group has a retention period, so that logs do not grow forever."""
    groups = [
        one["Properties"]
        for one in template(prod)["Resources"].values()
        if one["Type"] == "AWS::Logs::LogGroup"
    ]
    assert len(groups) == len(FUNCTIONS)
    assert all(group["RetentionInDays"] == 90 for group in groups)


def test_every_function_fits_beside_the_layer(prod: Path, layer: Path) -> None:
    """The layer and a function together stay below AWS's limit for unpacked code."""
    unpacked = json.loads(layer.with_suffix(".json").read_text())["unzipped_size"]
    sizes = {}
    for name in FUNCTIONS:
        with zipfile.ZipFile(prod / f"{name}.zip") as archive:
            sizes[name] = sum(member.file_size for member in archive.infolist())
            assert 0 < sizes[name] < 700_000
    check_total(unpacked, sizes)
