"""Reads what Windows PowerShell writes to stderr when nobody watches: CLIXML. Pure.

Only the text of the error stream is wanted; progress and other streams are noise. It must not know where the
text came from.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

_MARK = "#< CLIXML"
_DOCUMENT = re.compile(r"<Objs\b.*?</Objs>", re.DOTALL)
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_NAMESPACE = "{http://schemas.microsoft.com/powershell/2004/04}"


def error_text(stderr: bytes) -> str:
    """The words of an stderr, from its CLIXML documents and from what stands around them; lines stripped."""
    text = stderr.decode("utf-8", "replace")
    if _MARK not in text:
        return _tidy(text)
    outside = _DOCUMENT.sub("", text).replace(_MARK, "")
    errors = "".join(_errors(document.group()) for document in _DOCUMENT.finditer(text))
    return _tidy(f"{outside}\n{errors}")


def _errors(document: str) -> str:
    """The error strings of one document; the document as it is when it is no XML."""
    if "<!DOCTYPE" in document or "<!ENTITY" in document:
        return ""
    try:
        root = ET.fromstring(document)  # noqa: S314 - without a DOCTYPE there is nothing to expand
    except ET.ParseError:
        return document
    strings = (node for node in root.iter(f"{_NAMESPACE}S") if node.get("S") == "Error")
    return "".join(_unescape(node.text or "") for node in strings)


def _unescape(text: str) -> str:
    """_x000D_ and the like are UTF-16 code units; two of them may make one character."""
    units = _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), text)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _tidy(text: str) -> str:
    lines = (line.strip() for line in text.replace("\r", "\n").split("\n"))
    return "\n".join(line for line in lines if line)
