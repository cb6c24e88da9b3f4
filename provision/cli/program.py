"""How this program is called from where the user stands: by its name on PATH, or by the path that was typed."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

NAME = "provision"


def pasted(command: str, typed: str | None = None) -> str:
    """`provision ...` so that it can be pasted: with a path in front where PATH does not lead to it.

    `typed`: how the program was called; None: as this process was.
    """
    called = sys.argv[0] if typed is None else typed
    path = Path(called)
    known = shutil.which(NAME) is not None or path.name != NAME or not os.access(path, os.X_OK)
    return command if known else shlex.quote(called) + command.removeprefix(NAME)
