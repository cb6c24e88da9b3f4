"""From a name or path to a `Cluster`: find, read, check everything, build. The front door of this room.

The steps: text within bounds (`source`), a tree with positions (`tree`), the shape (`shape`), what values must be
together (`names`, `addresses`, `ports`, `slices`, `combinations`, `roots`), and only then the cluster (`build`).
Nothing is contacted, no secret is resolved; every mistake comes out in one ClusterFileError.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from pydantic import ValidationError

from provision.definition.addresses import check_addresses
from provision.definition.build import Builder
from provision.definition.combinations import check_combinations
from provision.definition.complaint import Complaint, Place
from provision.definition.draft import Draft
from provision.definition.locate import in_order, locate, span_of
from provision.definition.masking import without_secret_lines, without_secrets
from provision.definition.names import check_names
from provision.definition.nodes import Mapping, Node, Span, plain
from provision.definition.ports import check_ports
from provision.definition.roots import check_roots
from provision.definition.shape import ClusterShape
from provision.definition.slices import check_slices
from provision.definition.source import read_text, refuse_control_characters
from provision.definition.translate import translate
from provision.definition.tree import BrokenYamlError, parse
from provision.errors import ClusterFileError, Problem
from provision.model.cluster import Cluster

FOLDER = "clusters"
SUFFIXES = (".yml", ".yaml")


def find_cluster(name: str, folder: Path = Path()) -> Path:
    """The cluster file that `name` means: a path, or NAME for `FOLDER/clusters/NAME.yml` (or .yaml).

    A word with a slash or with .yml or .yaml at its end is a path, relative to `folder`; so are . and .. themselves.
    Raises ClusterFileError (P100) that says where it was looked for, what may be meant and which clusters there are.
    """
    is_path = "/" in name or "\\" in name or name.endswith(SUFFIXES) or name in (".", "..")
    places = [folder / name] if is_path else [folder / FOLDER / (name + suffix) for suffix in SUFFIXES]
    for place in places:
        if _exists(place):
            return place
    there = sorted(one.stem for one in (folder / FOLDER).glob("*") if one.suffix in SUFFIXES)
    message = "there is no such file" if is_path else f'there is no cluster "{name}"'
    listed = f"{folder / FOLDER} holds: {', '.join(there)}" if there else f"{folder / FOLDER} holds no cluster"
    meant = [Path(FOLDER) / name] if is_path else [Path(name + suffix) for suffix in SUFFIXES]
    listed = next((f"did you mean {one}? " for one in meant if _exists(folder / one)), "") + listed
    raise ClusterFileError(str(places[0]), "", (Problem("P100", message, 1, 1, 1, listed),))


def load_cluster(path: Path) -> Cluster:
    """The cluster that the file at `path` describes. Raises ClusterFileError with every problem; nothing else."""
    return parse_cluster(read_text(path), path)


def parse_cluster(text: str, file: Path) -> Cluster:
    """Like `load_cluster`, for a text that would stand in `file`; paths in it are relative to that file."""
    refuse_control_characters(text, file)
    root, problems = _tree(text, file)
    data = plain(root)
    complaints, shape = _check_shape(data)
    complaints += list(_check_together(Draft(data), file.parent))
    found = in_order((locate(one, root) for one in complaints), problems)
    if found or shape is None:
        raise ClusterFileError(str(file), without_secrets(text, root), found)
    return Builder(shape, file, text, lambda place: span_of(root, place)).cluster()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, a NUL in it, no permission: it is not there for us
        return False


def _tree(text: str, file: Path) -> tuple[Node, tuple[Problem, ...]]:
    """The tree and what is forbidden in it; a text without a mapping at its top is refused at once."""
    try:
        root, problems = parse(text)
    except BrokenYamlError as broken:
        raise ClusterFileError(str(file), without_secret_lines(text), broken.problems) from broken.__cause__
    if isinstance(root, Mapping):
        return root, problems
    what = "the file is empty" if root is None else "the file is not a mapping of keys to values"
    span = Span(1, 1) if root is None else root.span
    problem = Problem("P108", what, span.line, span.column, span.length, "keys such as cluster:, vip:, ftp:, servers:")
    raise ClusterFileError(str(file), without_secret_lines(text), in_order([problem], problems))


def _check_shape(data: object) -> tuple[list[Complaint], ClusterShape | None]:
    empty = list(_empty_values(data, ()))
    try:
        shape = ClusterShape.model_validate(data)
    except ValidationError as error:
        nulls = {one.place for one in empty}
        told = (one for one in translate(error.errors(include_url=False), data) if one.place not in nulls)
        return empty + list(told), None
    return empty, shape


def _empty_values(data: object, place: Place) -> Iterator[Complaint]:
    """A key without a value: whether its default is meant, nobody can know."""
    if data is None:
        name = re.sub(r"\[(\d+)\]$", r"[\1], an item of a list,", str(place[-1]))
        yield Complaint("P108", place, f"{name} has no value", "a value, or leave the key out", at_key=True)
    elif isinstance(data, dict):
        for key, one in data.items():
            yield from _empty_values(one, (*place, key))
    elif isinstance(data, list):
        for index, one in enumerate(data):
            yield from _empty_values(one, (*place, index))


def _check_together(draft: Draft, folder: Path) -> Iterator[Complaint]:
    return chain(
        check_names(draft),
        check_addresses(draft),
        check_ports(draft),
        check_slices(draft),
        check_combinations(draft),
        check_roots(draft, folder),
    )
