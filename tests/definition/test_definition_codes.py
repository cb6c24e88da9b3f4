"""Every code of this room is explained, and every explanation belongs to a code that occurs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import provision

PACKAGE = Path(provision.__file__).parent


def test_the_codes_of_the_cluster_file_and_their_explanations_agree() -> None:
    table = tomllib.loads((PACKAGE / "error_codes.toml").read_text(encoding="utf-8"))
    used = {code for path in (PACKAGE / "definition").glob("*.py") for code in re.findall(r'"(P1\d\d)"', path.read_text())}
    assert used == {code for code in table if code.startswith("P1")}
    assert all(set(table[code]) == {"title", "meaning", "fix"} for code in used)
