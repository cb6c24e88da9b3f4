"""The `haproxy` on the closed PATH: -v, -vv and -c of the machine's real binary, on copies that an ordinary user can check.

It never starts a proxy; that is the unit's business. A shape that claims an old version is held to that version's words.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from provision.lab.balancer.atomic import write_text
from provision.lab.balancer.call import Call, Reply, complain
from provision.lab.balancer.haproxycfg import Surroundings, check_copy, lines

_VALUED = ("-f", "-p", "-n", "-N", "-m", "-C", "-L", "-S", "-x")
CHECK_SECONDS = 20.0

# Words that HAProxy 1.5 does not know, with the section kind they stand in ('' for any proxy section).
_NEWER_THAN_1_5: tuple[tuple[str, str], ...] = (
    (
        "global",
        (
            r"nbthread|master-worker|hard-stop-after|strict-limits|server-state-file|server-state-base|"
            r"expose-experimental-directives|h1-case-adjust|insecure-fork-wanted|set-dumpable|numa-cpu-mapping"
        ),
    ),
    (
        "",
        (
            r"load-server-state-from-file|clitcpka-(cnt|idle|intvl)|srvtcpka-(cnt|idle|intvl)|http-check send|"
            r"tcp-check (connect|comment|set-var)|email-alert|filter|option idle-close-on-response|error-log-format"
        ),
    ),
)
_SECTIONS_NEWER_THAN_1_5 = ("resolvers", "mailers", "cache", "program", "ring", "log-forward", "http-errors")


@dataclass(frozen=True, slots=True)
class Tool:
    """`binary` is the real haproxy; `claims` is the version that the shape pretends to be, or None."""

    binary: Path
    version: str
    around: Surroundings
    claims: str | None

    def __call__(self, call: Call) -> Reply:
        """What the command prints and returns; a start in the foreground is refused."""
        words = call.arguments
        if "-v" in words or "-vv" in words:
            return self._version("-vv" if "-vv" in words else "-v")
        if "-c" in words:
            return self._check(words, Path(call.cwd))
        return complain("haproxy: in the lab the proxy is started by its unit: systemctl start haproxy")

    def _version(self, flag: str) -> Reply:
        if self.claims is not None:
            return Reply(
                out=f"HA-Proxy version {self.claims} 2016/05/10\nCopyright 2000-2016 Willy Tarreau "
                "<willy@haproxy.org>\n\n"
            )
        done = subprocess.run([self.binary, flag], capture_output=True, text=True, timeout=CHECK_SECONDS, check=False)
        return Reply(done.returncode, done.stdout, done.stderr)

    def _check(self, words: Sequence[str], cwd: Path) -> Reply:
        for path in config_files(words, cwd):
            refused = self._too_new(path) if self.claims is not None else None
            if refused is not None:
                return refused
        with tempfile.TemporaryDirectory(prefix="check-", dir=self.around.root / "lab") as folder:
            arguments, names = with_copies(words, cwd, Path(folder), lambda text: check_copy(text, self.around))
            done = subprocess.run(
                [self.binary, *arguments], capture_output=True, text=True, cwd=cwd, timeout=CHECK_SECONDS, check=False
            )
        out, err = done.stdout, done.stderr
        for copy, original in names.items():
            out, err = out.replace(copy, original), err.replace(copy, original)
        return Reply(done.returncode, out, err)

    def _too_new(self, path: Path) -> Reply | None:
        for number, line in enumerate(lines(path.read_text(encoding="utf-8")), 1):
            words = " ".join(line.words)
            for kind, pattern in _NEWER_THAN_1_5:
                if (kind == line.kind or (not kind and line.kind != "global")) and re.match(rf"({pattern})\b", words):
                    return complain(
                        f"[ALERT] 000/000000 (1) : parsing [{path}:{number}] : unknown keyword "
                        f"'{line.words[0]}' in '{line.kind}' section",
                        "[ALERT] 000/000000 (1) : Fatal errors found in configuration.",
                    )
            if line.opens_section and line.kind in _SECTIONS_NEWER_THAN_1_5:
                return complain(
                    f"[ALERT] 000/000000 (1) : parsing [{path}:{number}] : unknown keyword "
                    f"'{line.kind}' out of section.",
                    "[ALERT] 000/000000 (1) : Fatal errors found in configuration.",
                )
        return None


def config_files(words: Sequence[str], cwd: Path) -> tuple[Path, ...]:
    """The files that the -f arguments name, a folder's *.cfg in lexical order, those that exist."""
    found: list[Path] = []
    for flag, value in zip(words, [*words[1:], ""], strict=True):
        path = cwd / value
        if flag == "-f" and path.is_dir():
            found += sorted(entry for entry in path.iterdir() if entry.suffix == ".cfg" and entry.name[0] != ".")
        elif flag == "-f" and path.is_file():
            found.append(path)
    return tuple(found)


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    rest = iter(words)
    for word in rest:
        yield word, next(rest, None) if word in _VALUED else None


def with_copies(
    words: Sequence[str], cwd: Path, folder: Path, make: Callable[[str], str]
) -> tuple[list[str], dict[str, str]]:
    """The arguments with every file or folder of -f replaced by a copy in `folder`; copy's name -> original's, as given.

    Copies of an earlier time go first. The arguments depend on `words` alone, not on what a folder holds: a master that
    executes itself anew finds what came in the meantime.
    """
    arguments: list[str] = []
    names: dict[str, str] = {}
    for old in folder.glob("[0-9][0-9]-*"):
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()
    for number, (flag, value) in enumerate(_pairs(words)):
        source = cwd / (value or "")
        if flag != "-f" or not source.exists():
            arguments += [flag] if value is None else [flag, value]
            continue
        copy = folder / f"{number:02d}-{source.name}"
        if source.is_dir():
            copy.mkdir(mode=0o700)
        for file in config_files([flag, str(source)], cwd):
            target = copy / file.name if source.is_dir() else copy
            write_text(target, make(file.read_text(encoding="utf-8")), 0o600)  # it may hold a password
            names[str(target)] = str(Path(value or "") / file.name if source.is_dir() else value)
        arguments += ["-f", str(copy)]
    return arguments, names


def locate() -> tuple[Path, str]:
    """The machine's haproxy and its version; FileNotFoundError says which package has it."""
    found = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/sbin:/opt/homebrew/bin")
    if found is None:
        raise FileNotFoundError(
            "the lab's balancer runs the real haproxy, and this machine has none: install the "
            "package 'haproxy' (apt-get install haproxy, dnf install haproxy, brew install haproxy)"
        )
    text = subprocess.run([found, "-v"], capture_output=True, text=True, timeout=CHECK_SECONDS, check=True).stdout
    match = re.search(r"version (\d+(?:\.\d+)+)", text)
    if match is None:
        raise FileNotFoundError(f"{found} -v does not name a version")
    return Path(found), match.group(1)
