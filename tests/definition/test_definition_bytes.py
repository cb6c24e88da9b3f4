"""Files that are no cluster files at all: bytes, structure, size. Refused quickly, with a place, nothing contacted."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from provision.definition.load import load_cluster, parse_cluster
from provision.errors import ClusterFileError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)

STRUCTURE: dict[str, tuple[bytes, str, int, int]] = {
    "an empty file": (b"", "P108", 1, 1),
    "only comments": (b"# one\n# two\n", "P108", 1, 1),
    "a list at the top": (b"- cluster: demo\n", "P108", 1, 1),
    "a word at the top": (b"\n  cluster\n", "P108", 2, 3),
    "an alias bomb": (BOMB.encode(), "P104", 1, 4),
    "an alias of itself": (b"cluster: &x [*x]\n", "P104", 1, 10),
    "a Python tag": (b"cluster: !!python/object/apply:os.system [id]\n", "P104", 1, 10),
    "a tab as indentation": (b"ftp:\n\tport: 21\n", "P103", 2, 1),
    "Latin-1": ("cluster: demo\n# h\u00e9\n".encode("latin-1"), "P101", 2, 4),
    "UTF-16": ("cluster: demo\n".encode("utf-16"), "P101", 1, 1),
    "a NUL": (b"cluster: demo\nvip: 10.0.0.1\0\n", "P101", 2, 14),
    "an escape sequence": (b"cluster: demo\nvip: \x1b[2J\n", "P101", 2, 6),
    "a line separator of Unicode": ("cluster: demo\u2028vip: 10.0.0.1\n".encode(), "P101", 1, 14),
    "a byte order mark in the middle, as text": ("cluster: de\ufeffmo\n".encode(), "P110", 1, 10),
    "two documents": (b"cluster: demo\n---\ncluster: other\n", "P104", 2, 1),
    "a directive": (b"%YAML 1.1\n---\ncluster: demo\n", "P104", 2, 1),
    "a key that is a list": (b"? [a, b]\n: 1\n", "P104", 1, 3),
    "a quote that is not closed": (b'cluster: "demo\n', "P103", 2, 1),
    "a colon too many": (b"cluster: demo: x\n", "P103", 1, 14),
    "a key twice": (b"cluster: demo\nvip: 10.0.0.1\ncluster: demo\n", "P118", 3, 1),
    "20,000 brackets": (b"cluster: " + b"[" * 20_000, "P104", 1, 29),
    "20,000 levels of indentation": (b"\n".join(b" " * n + b"a:" for n in range(1200)), "P104", 21, 21),
    "100,000 values": (b"cluster: [" + b"1," * 100_000 + b"]", "P104", 1, 100_005),
}


@pytest.mark.parametrize("name", STRUCTURE)
def test_what_is_no_cluster_file_is_refused_at_its_place(name: str, tmp_path: Path, wire: list[str]) -> None:
    data, code, line, column = STRUCTURE[name]
    path = tmp_path / "demo.yml"
    path.write_bytes(data)
    with pytest.raises(ClusterFileError) as caught:
        load_cluster(path)
    assert (code, line, column) in {(one.code, one.line, one.column) for one in caught.value.problems}
    assert wire == []


@pytest.mark.timeout(10)
def test_fifty_megabytes_are_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "demo.yml"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)
    started = time.perf_counter()
    with pytest.raises(ClusterFileError, match="larger than 1048576 bytes"):
        load_cluster(path)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("name", ["an alias bomb", "20,000 brackets", "100,000 values"])
def test_a_bomb_costs_less_than_five_seconds(name: str) -> None:
    started = time.process_time()
    with pytest.raises(ClusterFileError):
        parse_cluster(STRUCTURE[name][0].decode(), Path("demo.yml"))
    assert time.process_time() - started < 5


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClusterFileError, match=r"a directory.*P101"):
        load_cluster(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a matter of POSIX")
def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "demo.yml")
    with pytest.raises(ClusterFileError, match="not a regular file"):
        load_cluster(tmp_path / "demo.yml")


def test_a_path_that_no_system_takes_is_an_error_of_the_file() -> None:
    with pytest.raises(ClusterFileError, match="P101"):
        load_cluster(Path("a\0b.yml"))


@pytest.mark.parametrize("spoil", [lambda text: text.replace("\n", "\r\n"), lambda text: "\ufeff" + text])
def test_line_ends_and_byte_order_mark_of_windows_editors_are_fine(spoil, base: str, tmp_path: Path) -> None:
    (tmp_path / "demo.yml").write_bytes(spoil(base).encode())
    assert load_cluster(tmp_path / "demo.yml").text == base


def test_positions_are_right_behind_carriage_returns_and_a_byte_order_mark(base: str, tmp_path: Path) -> None:
    text = "\ufeff" + base.replace("cluster: demo", "cluster: De mo").replace("vip: 10.", "vip: 300.").replace("\n", "\r\n")
    (tmp_path / "demo.yml").write_bytes(text.encode())
    with pytest.raises(ClusterFileError) as caught:
        load_cluster(tmp_path / "demo.yml")
    assert [(one.line, one.column) for one in caught.value.problems] == [(1, 10), (2, 6)]


def test_a_file_that_may_not_be_read_says_so(base: str, tmp_path: Path) -> None:
    path = tmp_path / "demo.yml"
    path.write_text(base)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ClusterFileError, match="P101"):
        load_cluster(path)


def test_five_hundred_servers_are_read_in_seconds(base: str) -> None:
    head, _, tail = base.partition("servers:\n")
    rest = tail[tail.index("winrm:") :]
    many = "".join(f"  - name: ftp{n}\n    address: 10.1.{n // 250}.{n % 250 + 1}\n" for n in range(500))
    text = head.replace("10000-10099", "20000-23999").replace("server: 50", "server: 8") + "servers:\n" + many + rest
    started = time.process_time()
    cluster = parse_cluster(text, Path("demo.yml"))
    assert len({one.passive_ports for one in cluster.servers}) == 500
    assert time.process_time() - started < 8
