"""Where scenarios are found: files by path, names in ./locustfiles and then in the wheel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

THE_THREE = ("ws_connect_storm", "tools_call_rps", "sse_keep_alive")  # `all`: the scenarios of the k6 scripts


class UnknownScenario(ValueError):
    """A name that is no scenario, or a file that is not there; the text lists what there is."""


def folders() -> list[Path]:
    """Returns the folders that are searched, in order."""
    package = Path(__file__).resolve().parent.parent
    places = (Path("locustfiles"), package / "locustfiles", package.parent / "locustfiles")
    return [place for place in places if place.is_dir()]


def names() -> list[str]:
    """Returns the names of all scenarios, sorted."""
    return sorted({file.stem for folder in folders() for file in folder.glob("*.py") if not file.stem.startswith("_")})


def find(asked: Sequence[str]) -> list[Path]:
    """Returns the locustfiles of names and files; raises UnknownScenario with all that are unknown, or when none is named."""
    wanted = [name for word in asked for name in (THE_THREE if word == "all" else (word,))]
    there_are = f"there are {', '.join(names())}, all, or a locustfile of your own"
    if not wanted:
        raise UnknownScenario(f"no scenario named; {there_are}")
    found = {name: _find(name) for name in wanted}
    missing = [name for name, file in found.items() if file is None]
    if missing:
        raise UnknownScenario(f"no scenario or file {', '.join(map(repr, missing))}; {there_are}")
    return [file for file in found.values() if file is not None]


def _find(name: str) -> Path | None:
    if name.endswith(".py") or "/" in name:
        return Path(name) if Path(name).is_file() else None
    return next((file for folder in folders() if (file := folder / f"{name}.py").is_file()), None)
