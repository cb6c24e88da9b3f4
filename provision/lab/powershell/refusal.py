"""The one way the lab says: this I do not know. A script cannot catch it, so that nothing is guessed over."""

from __future__ import annotations


class Refused(Exception):
    """The script uses something that nobody models. `line` is 1-based; None until the place is known."""

    def __init__(self, what: str, line: int | None = None, file: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.line = line
        self.file = file

    def at(self, line: int | None, file: str | None = None) -> Refused:
        """The same, with the place filled in where it was not known."""
        self.line = self.line if self.line is not None else line
        self.file = self.file if self.file is not None else file
        return self

    def __str__(self) -> str:
        place = f"{self.file or 'script'}:{self.line}: " if self.line is not None else ""
        return f"{place}the lab does not know {self.what}"
