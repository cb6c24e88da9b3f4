"""systemd's unit files: read with their drop-ins, and their commands expanded. It starts nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True)
class UnitFile:
    """A unit as it was loaded: where from, and every assignment in order; an empty one clears what came before."""

    name: str
    path: Path
    drop_ins: tuple[Path, ...]
    settings: Mapping[str, tuple[str, ...]]
    stamp: tuple[int, ...]

    @property
    def description(self) -> str:
        """What the unit is called in sentences."""
        return self.first("Unit.Description") or self.name

    def first(self, key: str) -> str:
        """The last assignment wins; '' when there is none."""
        values = self.settings.get(key, ())
        return values[-1] if values else ""

    def all(self, key: str) -> tuple[str, ...]:
        """All assignments of a list such as Service.ExecReload."""
        return self.settings.get(key, ())


def find(name: str, folders: Sequence[Path]) -> Path | None:
    """The unit's file; the first folder that has it wins."""
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def drop_in_folders(folders: Sequence[Path]) -> frozenset[Path]:
    """The folders NAME.d that are there."""
    return frozenset(entry for folder in folders for entry in folder.glob("*.d") if entry.is_dir())


def stamp(name: str, folders: Sequence[Path], known: Container[Path]) -> tuple[int, ...]:
    """Changes when the unit's file or a drop-in does; this is how `daemon-reload` is known to be needed."""
    path = find(name, folders)
    paths = [path, *_drop_ins(name, folders, known)] if path else []
    return tuple(entry.stat().st_mtime_ns for entry in paths if entry is not None)


def load(name: str, folders: Sequence[Path], known: Container[Path]) -> UnitFile | None:
    """Read a unit and its drop-ins, those of the `known` folders; None when no folder has it."""
    path = find(name, folders)
    if path is None:
        return None
    drop_ins = _drop_ins(name, folders, known)
    settings: dict[str, list[str]] = {}
    for source in (path, *drop_ins):
        _read_into(settings, source.read_text(encoding="utf-8"))
    return UnitFile(
        name, path, drop_ins, {key: tuple(values) for key, values in settings.items()}, stamp(name, folders, known)
    )


def _drop_ins(name: str, folders: Sequence[Path], known: Container[Path]) -> tuple[Path, ...]:
    places = [folder / f"{name}.d" for folder in reversed(folders) if folder / f"{name}.d" in known]
    found = {entry.name: entry for place in places for entry in place.glob("*.conf")}
    return tuple(found[key] for key in sorted(found))


def _read_into(settings: dict[str, list[str]], text: str) -> None:
    section = ""
    for raw in re.sub(r"\\\n\s*", " ", text).splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif line and line[0] not in "#;" and "=" in line:
            key, _, value = line.partition("=")
            values = settings.setdefault(f"{section}.{key.strip()}", [])
            values += [value.strip()]
            if not value.strip():
                values.clear()


def environment(unit: UnitFile) -> dict[str, str]:
    """The unit's variables: Environment=, then the files of EnvironmentFile= (FileNotFoundError without its '-')."""
    found: dict[str, str] = {}
    for value in unit.all("Service.Environment"):
        found |= dict(item.split("=", 1) for item in shlex.split(value) if "=" in item)
    for value in unit.all("Service.EnvironmentFile"):
        path = Path(value.removeprefix("-"))
        if not path.exists() and value.startswith("-"):
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            key, equals, text = line.strip().partition("=")
            if equals and not key.startswith(("#", ";")):
                found[key.strip()] = "".join(shlex.split(text, posix=True)) if text.startswith(('"', "'")) else text
    return found


def expand(command: str, variables: Mapping[str, str]) -> tuple[str, ...]:
    """An Exec line as words: a bare $NAME is split at blanks, ${NAME} inside a word is not; unknown ones vanish."""
    words: list[str] = []
    for word in shlex.split(command.lstrip("-@!+:")):
        bare = re.fullmatch(r"\$(\w+)", word)
        if bare:
            words += shlex.split(variables.get(bare.group(1), ""))
        else:
            words.append(_VARIABLE.sub(lambda match: variables.get(match.group(1) or match.group(2), ""), word))
    return tuple(words)
