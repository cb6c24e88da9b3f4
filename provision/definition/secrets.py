"""Secret references -> secrets, at the last moment before a connection. Nothing here shows a value.

Environment, terminal and the folder of the cluster file come in as arguments. All that cannot be resolved is said in
one SecretError, so that nobody mends one after the other; a question is asked only when everything else is there.
"""

from __future__ import annotations

import importlib
import os
import shlex
import signal
import stat
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from provision.definition.build import absolute_path
from provision.definition.complaint import shown
from provision.errors import SecretError
from provision.model.secret import Secret, SecretRef

COMMAND_DEADLINE = 30.0
"""Seconds that a cmd: reference may take."""

LONGEST_SECRET = 64 * 1024
"""Bytes read from a file; a password is never this long."""


class UnresolvedError(Exception):
    """One reference that cannot be resolved; `code` as in error_codes.toml."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


@dataclass(frozen=True, slots=True)
class Sources:
    """Where secrets come from in this run. `ask` shows a prompt and reads without echo; None: there is no terminal.

    `base` is the folder of the cluster file. `deadline` is in seconds.
    """

    environ: Mapping[str, str]
    ask: Callable[[str], str] | None
    base: Path
    deadline: float = COMMAND_DEADLINE


def resolve_secrets(
    refs: Iterable[SecretRef],
    *,
    environ: Mapping[str, str],
    ask: Callable[[str], str] | None,
    base: Path,
    deadline: float = COMMAND_DEADLINE,
) -> dict[SecretRef, Secret]:
    """Every reference with its secret. Each command runs once. Raises SecretError that lists all that failed.

    The values are single lines: one newline at the end is dropped, any other, an empty value or a NUL is refused.
    """
    sources = Sources(environ, ask, base, deadline)
    wanted = list(dict.fromkeys(refs))
    quiet = {_place(ref): ref for ref in wanted if ref.scheme != "ask" or ask is None}
    found = {place: _try(ref, sources) for place, ref in quiet.items()}
    _refuse_failed(wanted, found)
    found |= {_place(ref): _try(ref, sources) for ref in wanted if _place(ref) not in quiet}
    _refuse_failed(wanted, found)
    return {ref: one for ref in wanted if isinstance(one := found[_place(ref)], Secret)}


def _place(ref: SecretRef) -> str:
    """What is looked up once: a question is one for each key, everything else one for each source."""
    return f"ask {ref.key}" if ref.scheme == "ask" else str(ref)


def _refuse_failed(wanted: list[SecretRef], found: Mapping[str, Secret | UnresolvedError]) -> None:
    """Raise SecretError when something was looked up in vain."""
    failed = [(ref, one) for ref in wanted if isinstance(one := found.get(_place(ref)), UnresolvedError)]
    if not failed:
        return
    listed = "; ".join(f"{ref.key} (line {ref.line}): {one.why}" for ref, one in failed)
    what = "a secret cannot be resolved" if len(failed) == 1 else f"{len(failed)} secrets cannot be resolved"
    raise SecretError(failed[0][1].code, what, why=listed, next=f"provision explain {failed[0][1].code}")


def _try(ref: SecretRef, sources: Sources) -> Secret | UnresolvedError:
    try:
        return Secret(_usable(ref, _look_up(ref, sources)))
    except UnresolvedError as failure:
        return failure


def _look_up(ref: SecretRef, sources: Sources) -> str:
    match ref.scheme:
        case "env":
            return _from_environment(ref.target, sources.environ)
        case "file":
            return _from_file(absolute_path(ref.target, sources.base))
        case "keyring":
            return _from_keyring(ref.target)
        case "cmd":
            return _from_command(ref.target, sources)
        case _:
            return _from_terminal(ref, sources.ask)


def _usable(ref: SecretRef, value: str) -> str:
    """A password goes over wires and into files as one line; nothing else could be meant."""
    if not value:
        raise UnresolvedError("P121", f"{_named(ref)} gives an empty value")
    if any(one in value for one in "\n\r\0"):
        raise UnresolvedError("P127", f"{_named(ref)} gives more than one line, or a NUL")
    if not value.isascii() and any(0xD800 <= ord(one) <= 0xDFFF for one in value):
        raise UnresolvedError("P127", f"{_named(ref)} gives bytes that are not UTF-8")
    return value


def _named(ref: SecretRef) -> str:
    """The reference for a message. A command may carry words that are nobody's business: only its first is named."""
    return f"cmd:{shlex.split(ref.target)[0]}" if ref.scheme == "cmd" else str(ref)


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise UnresolvedError("P121", f"the environment variable {name} is not set")
    return environ[name]


def _from_file(path: Path) -> str:
    """One trailing newline is dropped. The mode is that of the opened file, so that nothing changes in between."""
    try:
        stream = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 -- Path.open has no opener; closed below
    except OSError as error:
        raise UnresolvedError("P122", f"{path} cannot be read: {error.strerror}") from None
    with stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise UnresolvedError("P122", f"{path} is not a regular file")
        if os.name == "posix" and status.st_mode & 0o077:
            mode = stat.S_IMODE(status.st_mode)
            raise UnresolvedError("P123", f"others than its owner may use {path} (mode {mode:04o}): chmod 600 {path}")
        data = stream.read(LONGEST_SECRET + 1)
    if len(data) > LONGEST_SECRET:
        raise UnresolvedError("P127", f"{path} is longer than {LONGEST_SECRET} bytes")
    return _one_line(data)


def _without_waiting(path: str, flags: int) -> int:
    """Opens a pipe too, without waiting for somebody to write into it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _one_line(data: bytes) -> str:
    """Text without one newline at its end; what is not UTF-8 stays recognisable and is refused later."""
    text = data.decode("utf-8", "surrogateescape")
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def _from_keyring(target: str) -> str:
    """From the operating system's keyring. The package is an extra, and many machines have no keyring at all."""
    service, _, user = target.partition("/")
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        why = 'keyring: needs the extra: pip install "provision[keyring]"'
        raise UnresolvedError("P124", why) from None
    try:
        value = keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001 -- a keyring's backend raises what it likes
        raise UnresolvedError("P124", f"the keyring does not answer: {type(error).__name__}") from None
    if not isinstance(value, str):
        raise UnresolvedError("P124", f"the keyring has nothing for {service}/{user}")
    return value


def _from_command(command: str, sources: Sources) -> str:
    """What a command prints. No shell; it sees the run's environment and an empty stdin, in the file's folder."""
    words = shlex.split(command)
    try:
        process = subprocess.Popen(  # noqa: S603 -- the operator's own command, split, without a shell
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=sources.base,
            env=dict(sources.environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it cannot be started"
        raise UnresolvedError("P125", f"cmd:{words[0]} does not start: {why}") from None
    with process:
        try:
            out, err = process.communicate(timeout=sources.deadline)
        except subprocess.TimeoutExpired:
            _end(process)
            raise UnresolvedError("P125", f"cmd:{words[0]} took longer than {sources.deadline:g} s") from None
        except BaseException:
            _end(process)
            raise
    if process.returncode != 0:
        last = err.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise UnresolvedError("P125", f"cmd:{words[0]} ended with {process.returncode}: {shown(last)}")
    return _one_line(out)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command with all its children: one of them could hold the pipe, and us, for ever."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _from_terminal(ref: SecretRef, ask: Callable[[str], str] | None) -> str:
    if ask is None:
        raise UnresolvedError("P126", "ask needs a terminal, and there is none")
    return ask(f"{ref.key}: ")
