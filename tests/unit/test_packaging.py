"""The wheel: built without a network, complete, and good from any folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the tree with the build backend that is installed."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    [path] = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and nothing else in it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    put = subprocess.run(
        [*command, "--target", str(folder), str(wheel)], capture_output=True, text=True, timeout=120, check=False
    )
    assert put.returncode == 0, put.stderr
    return folder


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """The files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """The wheel's METADATA."""
    with zipfile.ZipFile(wheel) as archive:
        [path] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_string(archive.read(path).decode())


def run(folder: Path, installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python of this environment, in another folder, with the installed wheel before everything else."""
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        timeout=60,
        check=False,
    )


def test_the_wheel_holds_the_package_and_the_scenarios(names: set[str]) -> None:
    """Every module of the tree, and the locustfiles inside the package; no test, no document, no top-level folder more."""
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "mop_locust").rglob("*.py")}
    scenarios = {f"mop_locust/locustfiles/{path.name}" for path in (ROOT / "locustfiles").glob("*.py")}
    assert len(scenarios) == 6
    assert {name for name in names if name.endswith(".py")} == modules | scenarios
    assert "mop_locust/py.typed" in names
    info = f"mop_locust-{PROJECT['version']}.dist-info"
    assert {name.split("/")[0] for name in names} == {"mop_locust", info}


def test_the_licence_is_in_it(names: set[str], metadata: Message) -> None:
    """As text and by name."""
    assert f"mop_locust-{PROJECT['version']}.dist-info/licenses/LICENSE" in names
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["License-Expression"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_the_metadata_is_that_of_the_project(metadata: Message) -> None:
    """Name, version, Python and what it needs; the README is the long description."""
    assert (metadata["Name"], metadata["Version"]) == ("mop-locust", PROJECT["version"])
    assert metadata["Requires-Python"] == PROJECT["requires-python"]
    needed = [
        re.split(r"[<>=]", requirement)[0] for requirement in metadata.get_all("Requires-Dist", []) if ";" not in requirement
    ]
    assert sorted(needed) == sorted(re.split(r"[<>=]", requirement)[0] for requirement in PROJECT["dependencies"])
    extras = [requirement for requirement in metadata.get_all("Requires-Dist", []) if ";" in requirement]
    assert extras == [f"{requirement}; extra == 'otlp'" for requirement in PROJECT["optional-dependencies"]["otlp"]]
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == (ROOT / "README.md").read_text()


def test_the_installed_version_is_that_of_the_project(installed: Path, tmp_path: Path) -> None:
    """What the reports will call it; and it is the wheel that is asked, not the tree."""
    program = (
        "import mop_locust; from importlib.metadata import version\nprint(version('mop-locust'), mop_locust.__file__, sep='\\n')"
    )
    told = run(tmp_path, installed, "-c", program)
    version, file = told.stdout.splitlines()
    assert version == PROJECT["version"]
    assert Path(file) == installed / "mop_locust" / "__init__.py"


def test_the_command_finds_the_scenarios_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    """From another folder, where there are none; a name that is none ends with 2 and the list."""
    ended = run(tmp_path, installed, "-m", "mop_locust.cli", "run", "nonsuch")
    assert ended.returncode == 2
    assert ended.stderr == (
        "mop-locust run: nothing was started:\n"
        "  no scenario or file 'nonsuch'; there are federated_calls, mission, mixed, "
        "sse_keep_alive, tools_call_rps, ws_connect_storm, all, "
        "or a locustfile of your own\n"
    )
    found = run(tmp_path, installed, "-c", "from mop_locust.commands.places import find; print(*find(['mixed']))")
    assert Path(found.stdout.strip()) == installed / "mop_locust" / "locustfiles" / "mixed.py"


def test_the_scenarios_of_the_wheel_can_be_loaded(installed: Path, tmp_path: Path) -> None:
    """`mixed` imports the three that stand beside it."""
    told = run(tmp_path, installed, "-m", "mop_locust.cli", "thresholds", "mixed")
    assert (told.returncode, told.stderr) == (0, "")
    assert [line.split(":")[0].strip() for line in told.stdout.splitlines()] == [
        "mixed",
        "sse_failures",
        "tools_call_failures",
        "ws_failures",
    ]


def test_the_command_has_an_entry_point(wheel: Path) -> None:
    """`mop-locust` on the path."""
    with zipfile.ZipFile(wheel) as archive:
        [path] = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert archive.read(path).decode().split() == ["[console_scripts]", "mop-locust", "=", "mop_locust.cli:main"]
