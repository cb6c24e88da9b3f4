"""What the breaks share: edits of applicationHost.config on disk, and words to the host's process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from provision.lab.windows.apphost import Document
from provision.lab.windows.control import ask
from provision.lab.windows.elements import ConfigElement
from provision.lab.windows.sectionreader import open_section
from provision.lab.windows.seed import CONFIG_NAME, STATE_NAME
from provision.lab.windows.state import StateStore

Act = Callable[[Path], str]


def edit(folder: Path, how: Callable[[Document], None]) -> None:
    """Change applicationHost.config as a person with an editor does. Raises OSError."""
    document = Document.load(folder / CONFIG_NAME)
    how(document)
    document.save(folder / CONFIG_NAME)


def ftp_sites(document: Document) -> list[ConfigElement]:
    """Every site that has an ftp binding."""
    sites = open_section(document, "system.applicationHost/sites", ftp=True).entries()
    return [site for site in sites if any(
        binding.value("protocol") == "ftp" for binding in site.child("bindings").entries())]


def tell(folder: Path, **question: object) -> None:
    """One question to the host's process. Raises OSError when it does not run, ValueError when it refuses."""
    answer = ask(folder, question)
    if not answer.get("ok"):
        raise ValueError(str(answer.get("error")))


def restart_ftp(folder: Path) -> None:
    """Restart-Service ftpsvc."""
    tell(folder, do="service", name="ftpsvc", action="restart")


def store_of(folder: Path) -> StateStore:
    """The state of the host in FOLDER. Raises FileNotFoundError when it was never made."""
    return StateStore(folder / STATE_NAME)
