"""Runs the command line inside the test's process, with captured streams; and values to show."""

import io
from dataclasses import dataclass
from pathlib import Path

from provision.cli.invocation import Streams
from provision.cli.main import run
from provision.definition.load import parse_cluster

ARTICLE = (Path(__file__).parents[2] / "clusters" / "article.yml").read_text(encoding="utf-8")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@dataclass
class Said:
    code: int
    out: str
    err: str


def say(*words, folder=Path(), environ=None, stdin="", terminal=False):
    """Run `provision WORDS`; usage errors and results alike come back as values."""
    kind = Terminal if terminal else io.StringIO
    out, err = io.StringIO(), kind()
    code = run(
        words, Streams(kind(stdin), out, err), {"COLUMNS": "160", **(environ or {})}, Path(folder), signals=False
    )
    return Said(code, out.getvalue(), err.getvalue())


def article(text=ARTICLE):
    return parse_cluster(text, Path("clusters/article.yml"))


def clusters(folder, **texts):
    (folder / "clusters").mkdir()
    for name, text in texts.items():
        (folder / "clusters" / f"{name}.yml").write_text(text, encoding="utf-8")
    return folder
