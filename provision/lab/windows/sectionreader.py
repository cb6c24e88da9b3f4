"""Opens a section of applicationHost.config as an element: schema, declaration and inheritance put together.

It must not know who reads. Server level and <location path> are the two levels there are for an FTP server.
"""

from __future__ import annotations

from collections.abc import Callable

from provision.lab.windows.apphost import Document
from provision.lab.windows.elements import ConfigElement
from provision.lab.windows.sections import APPHOST_ONLY, schema_of


class SectionRefused(Exception):
    """A section that cannot be read: not declared, not known, or not allowed at that path."""


def _nothing() -> None:
    return None


def open_section(document: Document, path: str, *, ftp: bool, location: str | None = None,
                 changed: Callable[[], None] = _nothing) -> ConfigElement:
    """The section PATH (case sensitive) at server level, or for LOCATION with the server level behind it.

    FTP says whether the FTP feature is installed. Raises SectionRefused with the sentence that IIS gives.
    """
    schema = schema_of(path, ftp=ftp)
    if schema is None or path not in document.declared():
        raise SectionRefused(f"The configuration section '{path}' cannot be read because it is missing a "
                             "section declaration")
    if location is None:
        return ConfigElement(schema, document, document.section(path), lambda: document.make_section(path), None,
                             changed)
    if path in APPHOST_ONLY:
        raise SectionRefused("This configuration section cannot be used at this path. This happens when the "
                             'section is locked at a parent level (allowDefinition="AppHostOnly").')
    server_level = open_section(document, path, ftp=ftp)
    return ConfigElement(schema, document, document.section(path, location),
                         lambda: document.make_section(path, location), server_level, changed)
