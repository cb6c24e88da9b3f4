"""The shipped PowerShell scripts as text: constants from the package, or from the checkout's powershell/ folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def script_folder() -> Path:
    """Where the scripts lie: inside the installed package, beside it in a checkout."""
    inside = PACKAGE / "powershell"
    return inside if inside.is_dir() else PACKAGE.parent / "powershell"


@cache
def script_text(name: str) -> str:
    """The text of `powershell/NAME`. Raises FileNotFoundError when the installation is damaged."""
    return (script_folder() / name).read_text(encoding="utf-8")
