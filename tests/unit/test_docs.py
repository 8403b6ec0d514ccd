"""What the documents say exists: files, commands, options, variables, metrics, names; the example is the one that is shown."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from locust.argument_parser import get_parser

from mop_locust.client import Client, HttpSession, Stream, WebSocketSession
from mop_locust.commands.places import THE_THREE
from mop_locust.config import NOT_SETTINGS, SETTINGS, readme_table
from mop_locust.config.stages import parse_stages, read_users
from mop_locust.metrics.instruments import BUILT_IN, Catalogue
from mop_locust.metrics.sample import OUTCOMES
from mop_locust.report.document import SummaryDocument
from mop_locust.swarm.events import NAMES as EVENTS
from mop_locust.verdict.exit_codes import ExitCode
from mop_locust.verdict.threshold import check, parse_all

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "mop_locust"
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
DOCUMENTS = [
    path
    for pattern in ("*.md", "docs/*.md", "examples/*.md", "reports/README.md", "benchmarks/*.md")
    for path in sorted(ROOT.glob(pattern))
]
LOCUSTFILES = [*sorted((ROOT / "locustfiles").glob("*.py")), *sorted((ROOT / "examples").glob("*.py"))]
METRICS = {instrument.name for instrument in BUILT_IN}
DECLARED = {name for path in LOCUSTFILES for name in re.findall(r'\b(?:Counter|Rate|Trend)\("(\w+)"', path.read_text())}

FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")


def blocks(text: str, language: str = "") -> list[str]:
    """The fenced blocks of a language; \"\" for those of none."""
    return [body for kind, body in FENCE.findall(text) if kind == language]


def spans(text: str) -> list[str]:
    """What stands between backticks in running text."""
    return SPAN.findall(FENCE.sub("", text))


def code(text: str) -> str:
    """All that a reader could type: fenced blocks and spans, one a line."""
    return "\n".join([body for _, body in FENCE.findall(text)] + spans(text))


def here(text: str) -> str:
    """The README without the k6 column of its table for those who move over."""
    head, title, rest = text.partition("| k6 | here |")
    return head + title + re.sub(r"^\| `[^|]*\|", "|", rest, flags=re.MULTILINE)


@pytest.fixture(params=DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS])
def document(request: pytest.FixtureRequest) -> Path:
    """Each document in turn."""
    path: Path = request.param
    return path


def test_links_lead_somewhere(document: Path) -> None:
    """Relative ones, from where the document stands."""
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text())
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []


def test_paths_exist(document: Path) -> None:
    """From the root of the repository or from the package, as the documents write them."""
    missing = []
    for word in re.split(r"[\s'\"()]+", code(document.read_text())):
        path = word.rstrip(".,;:")
        if not re.fullmatch(r"\.?\w[\w.-]*(/[\w.-]+)+/?", path) or re.match(r"\.venv/|reports/\d{8}T", path):
            continue
        first = path.split("/")[0]
        known = [base for base in (ROOT, PACKAGE) if (base / first).is_dir()]
        if known and not any((base / path).exists() for base in known):
            missing.append(path)
    assert missing == []


def test_files_named_without_a_folder_exist(document: Path) -> None:
    """A Python file or a Markdown file of that name stands somewhere in the project."""
    folders = ("mop_locust", "locustfiles", "examples", "tests", "docs", "scripts", "benchmarks")
    there = {path.name for folder in folders for path in (ROOT / folder).rglob("*.*")} | {path.name for path in ROOT.glob("*.*")}
    written = {"summary.md", "comparison.md", "mission.md", "release.md"}  # by commands
    named = {span for span in spans(document.read_text()) if re.fullmatch(r"\w+\.(py|md|toml)", span)}
    assert named - there - written == set()


def test_make_targets_exist(document: Path) -> None:
    """Every `make NAME`."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert targets == set(phony[1].split())
    assert set(re.findall(r"\bmake ([a-z-]+)", code(document.read_text()))) <= targets


def subcommands() -> set[str]:
    """Those of `mop-locust`, as its usage has them."""
    ended = subprocess.run(
        [sys.executable, "-m", "mop_locust.cli", "nonsuch"], capture_output=True, text=True, cwd=ROOT, timeout=30, check=False
    )
    found = re.search(r"choose from (.*)\)", ended.stderr)
    assert found is not None, ended.stderr
    return set(re.findall(r"\w+", found[1]))


def test_subcommands_and_their_scenarios_exist() -> None:
    """Every `mop-locust NAME`, and what `run` is given."""
    known = subcommands()
    scenarios = {path.stem for path in (ROOT / "locustfiles").glob("*.py")} | {"all", "SCENARIO"}
    text = "\n".join(code(here(path.read_text())) for path in DOCUMENTS)
    assert known >= {"run", "serve", "check", "thresholds"}
    for names in re.findall(r"\bmop-locust (\w+(?: \| \w+)*)", text):
        assert set(names.split(" | ")) <= known
    for asked in re.findall(r"\bmop-locust (?:run|thresholds) ([\w./]+)", text):
        assert asked in scenarios or (ROOT / asked).is_file(), asked


def test_options_exist() -> None:
    """Every `--option` of the README is one of Locust, of the suite or of its commands."""
    known = set(get_parser(default_config_files=[])._option_string_actions) | {"--mop-x-y"}
    for name in sorted(subcommands() - {"check"}):
        told = subprocess.run(
            [sys.executable, "-m", "mop_locust.cli", name, "--help"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=30,
            check=True,
        ).stdout
        known |= set(re.findall(r"--[a-z][a-z-]*", told))
    lines = [line for line in code(here(README)).splitlines() if not line.startswith("docker ")]
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", "\n".join(lines)))
    assert {"--mop-threshold", "--headless", "--workers", "--sse-ends-early"} <= named
    assert named - known == set()


def test_variables_exist(document: Path) -> None:
    """Every `MOP_…` is a setting or one of the few names beside them."""
    of_compose = set(re.findall(r"\$\{(MOP_\w+)", (ROOT / "docker-compose.yml").read_text()))
    known = {setting.name for setting in SETTINGS} | NOT_SETTINGS | {"MOP_X_Y"} | of_compose
    assert set(re.findall(r"\bMOP_[A-Z][A-Z_]*[A-Z]\b", document.read_text())) <= known


def test_the_table_of_settings_is_the_one_of_the_code() -> None:
    """Word for word."""
    assert readme_table() in README


def test_the_example_is_the_file() -> None:
    """What is shown is what runs."""
    assert (ROOT / "examples" / "search_tools.py").read_text() in blocks(README, "python")


def test_the_other_python_of_the_readme_runs() -> None:
    """In a process of its own, since it adds listeners."""
    others = [body for body in blocks(README, "python") if "class SearchTools" not in body]
    for body in others:
        ended = subprocess.run([sys.executable, "-c", body], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
        assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("path", LOCUSTFILES, ids=[path.name for path in LOCUSTFILES])
def test_a_scenario_has_at_most_40_lines(path: Path) -> None:
    """Tasks, pacing, thresholds, and nothing else."""
    assert len(path.read_text().splitlines()) <= 40


def test_the_scenarios_of_the_table_are_the_locustfiles() -> None:
    """One row each."""
    rows = re.findall(r"^\| `(\w+)\.py` \|", README, re.MULTILINE)
    assert sorted(rows) == sorted(path.stem for path in (ROOT / "locustfiles").glob("*.py"))
    assert rows[: len(THE_THREE)] == list(THE_THREE)


def test_every_name_in_the_readme_is_one_of_the_suite() -> None:
    """Metrics, outcomes, scenarios, events, methods: a name with an underscore between backticks means something."""
    methods = {name for kind in (Client, HttpSession, WebSocketSession, Stream) for name in vars(kind)}
    methods |= {name for kind in (HttpSession, WebSocketSession) for base in kind.__mro__ for name in vars(base)}
    scenarios = {path.stem for path in LOCUSTFILES}
    summary = set(SummaryDocument.__annotations__)
    known = METRICS | DECLARED | set(OUTCOMES) | set(EVENTS) | scenarios | methods | summary | {"mop_locust", "run_id"}
    named = {
        name
        for span in spans(here(README))
        if "--" not in span and "/" not in span
        for name in re.findall(r"(?<![\w-])[a-z]+(?:_[a-z0-9]+)+", span)
    }
    assert named - known == set()
    assert len(named & METRICS) >= 20


def test_the_metrics_of_the_scenarios_and_of_k6_are_built_in() -> None:
    """The four names that stay, and what the table says each scenario feeds."""
    feeds = set(re.findall(r"`((?:ws|tools_call|sse)_\w+)`", "\n".join(re.findall(r"^\| `\w+\.py` \|.*$", README, re.MULTILINE))))
    stay = README.partition("The names stay: ")[2].partition("\n\n")[0]
    assert feeds == set(re.findall(r"`(\w+)`", stay))
    assert feeds == {"ws_failures", "tools_call_failures", "sse_failures", "sse_first_byte_latency"}
    assert feeds <= METRICS


def test_the_thresholds_of_the_readme_can_be_used() -> None:
    """Those on a command line are read and checked as a run would."""
    texts = re.findall(r"--mop-threshold '([^']+)'", README)
    thresholds, mistakes = parse_all(texts)
    assert (len(texts), mistakes) == (6, [])
    (stages,) = re.findall(r"--mop-stages '(ramp[^']+)'", README)
    names = frozenset(stage.name for stage in parse_stages(stages, read_users))
    assert check(thresholds, Catalogue([], {"method": None, "stage": names})) == []


def test_the_stages_and_thresholds_of_their_page_can_be_used() -> None:
    """Those of command lines, of the locustfile and of the blocks."""
    page = (ROOT / "docs" / "stages.md").read_text()
    stages = re.findall(r"--mop-stages '([^']+)'|stages = \"([^\"]+)\"", page)
    names = {stage.name for found in stages for stage in parse_stages("".join(found), read_users)}
    assert (len(stages), {"ramp", "steady", "spike", "recovery", "ramp_2"} <= names) == (3, True)
    texts = re.findall(r"(?:^|['`])(call\w+(?:\{[^}]+\})?: [^'`\n]+)", page, re.MULTILINE)
    thresholds, mistakes = parse_all(texts)
    assert (len(texts), mistakes) == (6, [])
    assert check(thresholds, Catalogue([], {"transport": None, "stage": frozenset(names)})) == []


def test_the_exit_codes_of_the_readme_are_those_of_the_code() -> None:
    """One row each, and the order in which the worst counts."""
    rows = re.findall(r"^\| (\d+) \|", README.partition("| exit code |")[2], re.MULTILINE)
    assert sorted(map(int, rows)) == sorted(ExitCode)
    order = re.search(r"the worst counts, in the order ([\d, ]+)\.", README)
    assert order is not None
    assert [int(number) for number in order[1].split(", ")] == list(ExitCode)


def test_the_house_is_as_it_is_drawn() -> None:
    """Every folder and file of the drawing exists; the modules that it lists are modules of that package."""
    drawing = next(body for body in blocks(ARCHITECTURE) if body.startswith("locustfiles/"))
    in_package = re.findall(r"^  (\S+/|\S+\.py)", drawing, re.MULTILINE)
    in_swarm = re.findall(r"^    (\S+)/", drawing, re.MULTILINE)
    at_root = re.findall(r"^(\w+/)", drawing, re.MULTILINE)
    assert [word for word in in_package if not (PACKAGE / word).exists()] == []
    assert [word for word in at_root if not (ROOT / word).is_dir()] == []
    for package in ("protocol", "metrics", "verdict", "transports", "client", "swarm", *(f"swarm/{name}" for name in in_swarm)):
        told = re.search(rf"^ +{package.rpartition('/')[2]}/ +(.*(?:\n {{10,}}.*)*)", drawing, re.MULTILINE)
        assert told is not None
        words = re.sub(r"\([^)]*\)", "", " ".join(told[1].split())).rpartition(":")[2].replace("PURE", "")
        modules = [word.strip() for word in words.split(",") if re.fullmatch(r"\w+", word.strip())]
        assert len(modules) >= 3
        assert [name for name in modules if not (PACKAGE / package / f"{name}.py").is_file()] == []
        if package.startswith("swarm"):
            there = {path.stem for path in (PACKAGE / package).glob("*.py")} - {"__init__"}
            assert there - set(modules) == set()


def test_what_the_architecture_names_is_in_the_code() -> None:
    """`Class.method`, and classes alone."""
    source = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    for span in spans(ARCHITECTURE):
        dotted = re.fullmatch(r"(?:\w+\.)*([A-Z]\w+)\.(\w+)", span)
        if dotted is not None:
            assert re.search(rf"\bclass {dotted[1]}\b|\bimport .*\b{dotted[1]}\b", source), span
            assert re.search(rf"\bdef {dotted[2]}\b", source), span
        elif re.fullmatch(r"[A-Z][a-z]+(?:[A-Z][a-z]+)*", span):
            assert re.search(rf"\bclass {span}\b", source), span


def test_the_files_of_a_run_folder_are_those_that_are_told() -> None:
    """The README and reports/README.md name the same ones."""
    of_table = re.findall(r"^\| `([\w.]+)` \|", (ROOT / "reports" / "README.md").read_text(), re.MULTILINE)
    sentence = README.partition("Each run leaves a folder with ")[2].partition(": see")[0]
    assert sorted(re.findall(r"`([\w.]+)`", sentence)) == sorted(of_table)
