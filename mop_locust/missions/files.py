"""Mission files, one or a folder of them."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

from mop_locust.missions.flaws import flaws, remarks
from mop_locust.missions.reading import Reading, read
from mop_locust.missions.shape import Mission

SUFFIXES = (".yaml", ".yml")


class MissionError(ValueError):
    """Missions that cannot be used; `mistakes` holds one sentence for each thing wrong, with its file and line."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("\n".join(self.mistakes))


def mission_files(path: Path) -> list[Path]:
    """The file, or the mission files of the folder by name; MissionError when there is none."""
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
    if not found:
        raise MissionError([f"{path} holds no mission: no file there ends with {' or '.join(SUFFIXES)}"])
    return found


def read_file(path: Path) -> Reading:
    """What a mission file holds; MissionError when it cannot be read at all."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MissionError([f"{path}: {error.strerror or error}"]) from error
    except UnicodeDecodeError as error:
        raise MissionError([f"{path}: is not UTF-8: {error}"]) from error
    return _read(text)


def load(path: Path) -> Mission:
    """The mission of a file, fit for a benchmark; MissionError with all mistakes otherwise."""
    reading = read_file(path)
    mistakes = [*reading.mistakes, *flaws(reading)]
    if reading.mission is None or mistakes:
        raise MissionError([f"{path}, {mistake}" for mistake in mistakes])
    return reading.mission


def load_all(path: Path) -> dict[Path, Mission]:
    """The missions of a file or a folder; MissionError with all mistakes of all of them."""
    missions: dict[Path, Mission] = {}
    mistakes: list[str] = []
    for file in mission_files(path):
        try:
            missions[file] = load(file)
        except MissionError as error:
            mistakes += error.mistakes
    if mistakes:
        raise MissionError(mistakes)
    return missions


def remarks_on(path: Path) -> list[str]:
    """What is worth knowing of the mission of a file that `load` takes; errors as `load`."""
    return remarks(load(path), read_file(path).unknown)


_read = functools.lru_cache(maxsize=64)(read)  # by the text: each user of a scenario asks anew
