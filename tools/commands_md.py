"""Writes docs/commands.md from the real --help of every command. `python tools/commands_md.py > docs/commands.md`."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator

from provision.cli.commands import lab
from provision.cli.lab_commands import surface

INTRODUCTION = """# Commands

Written from `--help` by `tools/commands_md.py`; a test holds it to the program.

A CLUSTER is a path, or NAME for `clusters/NAME.yml`. Results go to stdout, everything else to stderr.

| exit code | meaning |
|--|--|
| 0 | done, or no difference |
| 1 | failed before anything was changed; no was answered; FTP does not work (`verify`) |
| 2 | differences found (`plan`, `drift`) |
| 3 | some hosts could not be read, and no difference was found on the others |
| 4 | the cluster file is invalid, missing, or a secret cannot be resolved |
| 5 | another run is changing the cluster |
| 6 | failed, and everything was rolled back and verified |
| 7 | failed, and not everything could be rolled back |
| 64 | wrong usage, or a question was needed and there is no terminal |
| 129, 130, 143 | stopped by a terminal that hung up, Ctrl-C or TERM; the last line says what is where |

With several clusters the first of 7, 6, 4, 5, 1, 2, 3 that occurred is the exit code. `--json` prints one document
with `format`, `command` and `exit_code`, also on failure: then `error` has code, what, where, why and next. For one cluster
the document of `drift` is that comparison; for several it has a list of them in `clusters`.
"""


def help_of(words: list[str]) -> str:
    """What `provision WORDS --help` prints at 100 columns."""
    said, before = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    try:
        with contextlib.redirect_stdout(said):
            surface(args=[*words, "--help"], prog_name="provision", standalone_mode=False)
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return "\n".join(one.rstrip() for one in said.getvalue().strip().splitlines())


def commands() -> Iterator[list[str]]:
    """Every command, in the order in which they are declared."""
    yield []
    for group, words in ((surface, []), (lab, ["lab"])):
        yield from ([*words, str(one.name)] for one in group.registered_commands)


def document() -> str:
    """The whole file."""
    heads = ((f"## provision {' '.join(words)}".rstrip(), help_of(words)) for words in commands())
    return "\n".join([INTRODUCTION, *(f"{head}\n\n```text\n{text}\n```\n" for head, text in heads)])


if __name__ == "__main__":
    sys.stdout.write(document())
