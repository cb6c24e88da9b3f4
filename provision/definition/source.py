"""The bytes of a cluster file -> its text, within bounds. The only place of this room that reads the file.

It must not know what a cluster is, nor YAML: it ends where the text is known to be UTF-8 without hidden control
characters. Line ends are made LF and a leading UTF-8 byte order mark is dropped (Windows' Notepad writes one).
"""

from __future__ import annotations

import codecs
import re
import stat
from pathlib import Path

from provision.definition.masking import without_secret_lines
from provision.errors import ClusterFileError, Problem

LARGEST = 1024 * 1024
"""Bytes in a cluster file."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
"""Control characters, and the separators that some programs take for the end of a line: positions would differ."""

_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


def read_text(path: Path) -> str:
    """The text of `path`. Raises ClusterFileError (P100 not there, P101 not a usable text), never OSError."""
    data = _read_bytes(path)
    if len(data) > LARGEST:
        raise _refused(path, "P101", f"the file is larger than {LARGEST} bytes", "a cluster file is at most 1 MiB")
    if data.startswith(_WIDE_MARKS):
        raise _refused(path, "P101", "the file is UTF-16 or UTF-32", "save it as UTF-8")
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(path, data.removeprefix(codecs.BOM_UTF8), error.start) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    refuse_control_characters(text, path)
    return text


def refuse_control_characters(text: str, path: Path) -> None:
    """Raise ClusterFileError (P101) at the first character of `text` that is not printable, LF or tab."""
    found = _CONTROL.search(text)
    if found is not None:
        line, column = _position(text, found.start())
        message = f"the control character U+{ord(found[0]):04X}"
        problem = Problem("P101", message, line, column, 1, "printable text")
        raise ClusterFileError(str(path), without_secret_lines(text), (problem,))


def _read_bytes(path: Path) -> bytes:
    """At most LARGEST + 1 bytes. A pipe or a device is never opened: it might not end, or wait for ever."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a directory" if path.is_dir() else "not a regular file"
            raise _refused(path, "P101", f"this is {kind}", "a YAML file")
        with path.open("rb") as stream:
            return stream.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise _refused(path, "P100", "there is no such file", "") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _refused(path, "P101", f"the file cannot be read: {why}", "") from None


def _not_utf8(path: Path, data: bytes, offset: int) -> ClusterFileError:
    before = data[:offset].decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    line, column = _position(before, len(before))
    source = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    message = f"the byte 0x{data[offset]:02X} is not UTF-8"
    problem = Problem("P101", message, line, column, 1, "save the file as UTF-8")
    return ClusterFileError(str(path), without_secret_lines(source), (problem,))


def _position(text: str, index: int) -> tuple[int, int]:
    """Line and column, from 1, of the character at `index`."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _refused(path: Path, code: str, message: str, allowed: str) -> ClusterFileError:
    return ClusterFileError(str(path), "", (Problem(code, message, 1, 1, 1, allowed),))
