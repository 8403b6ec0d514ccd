"""The CI recipes: right by the schemas of their services, by a linter where there is one, and with commands that exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "examples" / "ci"
SERVICES = {"github.yml": "vendor.github-workflows", "gitlab.yml": "vendor.gitlab-ci"}
MARKER = "<!-- mop-locust -->"


def load(name: str) -> Any:
    """A recipe; `on` stays a word."""
    return yaml.load((CI / name).read_text(), Loader=yaml.BaseLoader)


def scripts(name: str) -> list[str]:
    """Every piece of shell in a recipe: a step of GitHub's is one, a job's `script` of GitLab's is one."""
    jobs = load(name)
    if name == "github.yml":
        return [step["run"] for job in jobs["jobs"].values() for step in job["steps"] if "run" in step]
    parts = [job[part] for job in jobs.values() if "script" in job for part in ("script", "after_script") if part in job]
    return ["\n".join(lines) for lines in parts]


def test_every_recipe_is_looked_at() -> None:
    """None stands there unchecked."""
    assert {file.name for file in CI.iterdir()} == set(SERVICES)


@pytest.mark.parametrize(("name", "schema"), SERVICES.items())
def test_it_is_right_by_the_schema_of_its_service(name: str, schema: str) -> None:
    """The published one, which comes with check-jsonschema."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(CI / name)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_schema_refuses_what_is_wrong(tmp_path: Path) -> None:
    """The check can fail: a step with a word that no workflow has."""
    (tmp_path / "wrong.yml").write_text((CI / "github.yml").read_text().replace("        run: python", "        runs: python"))
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        str(tmp_path / "wrong.yml"),
    ]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 1


@pytest.mark.skipif(not shutil.which("actionlint"), reason="actionlint is missing")
def test_the_linter_of_workflows_has_nothing_to_say() -> None:
    """It looks into the expressions and the shell too."""
    ended = subprocess.run(["actionlint", str(CI / "github.yml")], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_its_shell_can_be_read(name: str) -> None:
    """By bash, every script as a whole."""
    found = scripts(name)
    assert len(found) >= 3
    for script in found:
        ended = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, timeout=10, check=False)
        assert ended.returncode == 0, f"{script}\n{ended.stderr}"


@pytest.mark.parametrize("name", SERVICES)
def test_it_runs_uploads_comments_once_and_fails_on_the_verdict(name: str) -> None:
    """No step hides the exit code of the run; the comment is found by its marker and changed."""
    text = (CI / name).read_text()
    assert 'mop-locust run "$SCENARIO"' in text
    assert not re.search(r"allow_failure|continue-on-error|mop-locust run.*(\|\||;)", text)
    assert text.count(MARKER) >= 1
    assert "reports/" in text
    assert "junit.xml" in text or "GITHUB_STEP_SUMMARY" in text
    if name == "github.yml":
        assert {"updateComment", "createComment"} <= set(re.findall(r"issues\.(\w+)\(", text))
    else:
        assert "verb=PUT" in text
        assert "verb=POST" in text


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("runs", [0, 2])
def test_its_summary_is_that_of_all_runs_or_says_that_there_is_none(name: str, runs: int, tmp_path: Path) -> None:
    """The step is carried out as it stands there."""
    for number in range(runs):
        folder = tmp_path / "reports" / f"run-{number}"
        folder.mkdir(parents=True)
        (folder / "summary.md").write_text(f"### run {number}\n")
    (script,) = (script for script in scripts(name) if "> summary.md" in script)
    environment = {**os.environ, "GITHUB_STEP_SUMMARY": str(tmp_path / "step.md")}
    subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, timeout=10, check=True)
    told = (tmp_path / "summary.md").read_text()
    assert told == ("### run 0\n### run 1\n" if runs else "The load test left no summary; see its log.\n")
    if name == "github.yml":
        assert (tmp_path / "step.md").read_text() == told


def test_only_the_job_that_comments_may_write() -> None:
    """And it neither checks out nor runs what the pull request brings."""
    workflow = load("github.yml")
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in workflow["jobs"]["load"]
    comment = workflow["jobs"]["comment"]
    assert comment["permissions"] == {"pull-requests": "write"}
    assert not any("run" in step or "checkout" in step.get("uses", "") for step in comment["steps"])


def test_every_action_has_a_version() -> None:
    """A tag or a commit, never a branch."""
    uses = re.findall(r"uses: (\S+)", (CI / "github.yml").read_text())
    assert len(uses) == 5
    assert [action for action in uses if not re.fullmatch(r"[\w-]+/[\w-]+@(v\d+(\.\d+)*|[0-9a-f]{40})", action)] == []


def test_the_documents_show_where_they_are() -> None:
    """Both recipes are named in docs/ci.md."""
    text = (ROOT / "docs" / "ci.md").read_text()
    assert all(f"examples/ci/{name}" in text for name in SERVICES)
