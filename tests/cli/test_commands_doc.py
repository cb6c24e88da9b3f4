"""docs/commands.md is what the program says of itself."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_command_reference_is_current():
    document = runpy.run_path(str(ROOT / "tools" / "commands_md.py"))["document"]()
    written = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert written == document, "python tools/commands_md.py > docs/commands.md"
