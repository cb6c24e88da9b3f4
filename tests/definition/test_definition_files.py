"""Whole files with several mistakes: all of them at once, in the order of the file; nothing is contacted.

Lines that begin with `#!` say what must come out: code, line:column, length.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.definition.load import load_cluster
from provision.errors import ClusterFileError

FILES = sorted((Path(__file__).parent / "cases" / "files").glob("*.yml"))


@pytest.mark.parametrize("path", FILES, ids=[one.stem for one in FILES])
def test_every_mistake_of_a_file_is_told_at_once(path: Path, wire: list[str]) -> None:
    expected = [line[3:] for line in path.read_text().splitlines() if line.startswith("#!")]
    with pytest.raises(ClusterFileError) as caught:
        load_cluster(path)
    assert [f"{one.code} {one.line}:{one.column} {one.length}" for one in caught.value.problems] == expected
    assert wire == []
